"""Answers to aiohttp's client from a recording, over a connection that leads nowhere.

aiohttp's own parser is handed the recorded bytes. Imports the standard library and this package.
Invariant: no more is parsed than the answer's reader has asked for.
"""

import asyncio
import sys
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

from replay.codec import Truncated
from replay.interaction import Answer, Failure, Response, Stage
from replay.recorder.outbound.adapter import PIECE_BYTES, ending_of, received, truncated
from replay.recorder.outbound.failure import caused, class_of, is_cancellation, rebuilt, unknown
from replay.recorder.outbound.message import response_bytes
from replay.recorder.outbound.outlet import Unanswered

_HEAD_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


class Hop:
    """One call under way, as the wrapped methods see it."""

    def begin(self, connection: Any) -> None:
        """Note that the request is about to be written."""

    async def answer(self, response: Any) -> None:
        """Have an answer come, where it does not come by itself."""

    def started(self, response: Any) -> None:
        """Note that the head of an answer is there."""

    def fail(self, error: Exception, stage: Stage) -> None:
        """Note what the call ended in."""


class AnsweredHop(Hop):
    """A call that is answered with what was recorded."""

    def __init__(self, unanswered: Unanswered, answer: Answer, request: Any) -> None:
        self.loop = asyncio.get_running_loop()
        self.protocol: Any = None
        self._unanswered, self._answer, self._request = unanswered, answer, request
        self._pieces: Iterator[bytes] = iter(())
        self._content: Any = None

    async def fail_at(self, stage: Stage) -> None:
        """Raise the recorded exception where that is how far the call had come."""
        if isinstance(self._answer, Failure) and self._answer.stage == stage:
            await self._unanswered.wait_async()
            raise _exception_of(self._answer, self._request)

    async def answer(self, response: Any) -> None:
        """Let the recorded time pass, then have the head parsed."""
        writer, waits = getattr(response, "_writer", None), getattr(response, "_continue", None)
        if writer is not None and waits is None:
            await asyncio.wait([writer])  # the answer came once the request was written
        await self.fail_at("response")
        await self._unanswered.wait_async()
        self._pieces = _wire_pieces(received(self._answer), self._request.method)
        self._feed()

    def started(self, response: Any) -> None:
        """Note whose body is to be fed."""
        self._content = response.content

    def feed_soon(self) -> None:
        """Have the next piece parsed, for a reader that has come to the end of the last."""
        self.loop.call_soon(self._feed)

    def _feed(self) -> None:
        if self.protocol.transport is None:
            return  # it was closed
        if (piece := next(self._pieces, None)) is not None:
            self.protocol.data_received(piece)
        elif isinstance(self._answer, Failure) and is_cancellation(self._answer):
            return  # whoever cancelled it does so again
        elif (ending := self._ending()) is not None:
            self._content.set_exception(ending)
        else:
            self.protocol.connection_lost(None)  # the end of a body that tells no length

    def _ending(self) -> Exception | None:
        if isinstance(self._answer, Failure):
            return _exception_of(self._answer, self._request)
        return ending_of(self._answer)


class AnsweringHandler:
    """aiohttp's end of a connection that leads nowhere; the rest of it is aiohttp's."""

    def __init__(self, hop: AnsweredHop) -> None:
        super().__init__(loop=hop.loop)  # type: ignore[call-arg]
        self.hop, hop.protocol = hop, self
        self.connection_made(_Nowhere(hop.loop, self))  # type: ignore[attr-defined]
        self.force_close()  # type: ignore[attr-defined]

    def _reschedule_timeout(self) -> None:
        """Start no clock: whether one ran out is what the recording tells."""


class _Nowhere(asyncio.Transport):
    """The transport of a connection that leads nowhere."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: Any) -> None:
        super().__init__()
        self._loop, self._protocol, self._is_closing = loop, protocol, False

    def write(self, data: object) -> None:
        """Take what nobody reads."""

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def pause_reading(self) -> None:
        """Do nothing: nothing comes unasked."""

    def resume_reading(self) -> None:
        """Do nothing, as above."""


def _exception_of(failure: Failure, request: Any) -> Exception:
    """Return a recorded exception, built as its class wants it."""
    kind, library = class_of(failure), sys.modules["aiohttp.client_exceptions"]
    if kind is not None and issubclass(kind, library.ClientConnectorError):
        cause = (failure.cause and rebuilt(failure.cause)) or OSError(failure.message)
        is_unix = issubclass(kind, library.UnixClientConnectorError)
        places = (request.session.connector.path,) if is_unix else ()
        return caused(kind(*places, request.connection_key, cause), failure.cause)
    if kind is not None and issubclass(kind, library.ClientResponseError):
        return caused(kind(request.request_info, (), **failure.keywords), failure.cause)
    return rebuilt(failure) or unknown(failure)


def _wire_pieces(response: Response, method: str) -> Iterator[bytes]:
    """Yield an answer as it comes over the wire: its head with the first chunk, then the others."""
    if isinstance(response.body, Truncated):
        raise truncated(response.body)
    wire = response_bytes(response, method=method)
    sizes = [len(b"%x\r\n" % size) + size + 2 for size in response.chunks or ()]
    if sizes and response.is_complete:
        sizes[-1] += len(_LAST_CHUNK)
    start, end = 0, wire.index(_HEAD_END) + len(_HEAD_END)
    for size in chain(sizes, repeat(PIECE_BYTES)):
        end += size
        yield wire[start:end]
        if end >= len(wire):
            return
        start = end
