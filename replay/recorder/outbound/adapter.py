"""What the modules of httpx and aiohttp have in common: the two ends of a message.

Imports the standard library and this package.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from replay.codec import Truncated
from replay.errors import ReplayError
from replay.interaction import Answer, Body, Failure, Header, Response, answer_of
from replay.recorder.outbound.body import body_of
from replay.recorder.outbound.failure import rebuilt, unknown
from replay.recorder.outbound.withheld import kept_body, kept_headers
from replay.settings import LAMBDA_MAX_BYTES

PIECE_BYTES = 65_536
"""What a body that came in no chunks is handed out in: as much as httpcore reads at once."""


def kept(body: Body, content_type: str) -> Body:
    """Return the body of a request without credentials, where it is there to be looked at."""
    return kept_body(body, content_type) if isinstance(body, bytes) else body


def sent_body(source: Any) -> Body:
    """Return what a library was given to send; None for what can be read only once."""
    return None if source is None else body_of(source, LAMBDA_MAX_BYTES)


def latin(headers: Iterable[tuple[bytes, bytes]]) -> tuple[Header, ...]:
    """Return the headers of an answer as they are kept: every byte is a character."""
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    return kept_headers(pairs, of_request=False)


def received(answer: Answer) -> Response:
    """Return what came of an answer, be it that it ended in a failure."""
    if isinstance(answer, Response):
        return answer
    found = answer_of(answer.keywords["response"])
    assert isinstance(found, Response)
    return found


def truncated(body: Truncated) -> ReplayError:
    """Return what is raised where an answer is over the cap of the recording."""
    message = f"only the head of an answer of {body.size_bytes} bytes was kept"
    return ReplayError(message, "capture it again with a larger REPLAY_MAX_BYTES")


def pieces_of(response: Response) -> Iterator[bytes]:
    """Yield the body of an answer in the chunks that it came in."""
    body = response.body or b""
    if isinstance(body, Truncated):
        raise truncated(body)
    start = 0
    for size in response.chunks or ():
        yield body[start : start + size]
        start += size
    for place in range(start, len(body), PIECE_BYTES):
        yield body[place : place + PIECE_BYTES]


def ending_of(answer: Answer) -> Exception | None:
    """Return what comes after the body of an answer: None where that was its end."""
    if isinstance(answer, Failure):
        return rebuilt(answer) or unknown(answer)
    if answer.is_complete:
        return None
    return ReplayError("the handler reads more of an answer than it read in the recording")
