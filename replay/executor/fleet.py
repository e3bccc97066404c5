"""The workers of a Dask scheduler: reached, asked, and refused where they differ from this machine.

Imports `distributed`, which the extra `dask` brings. Invariant: nothing waits without a limit, and
every refusal names the worker.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from math import inf
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from replay.errors import ReplayError
from replay.executor import checkout, worker
from replay.executor.bench import OtherCodeError
from replay.executor.run import Run
from replay.executor.software import Software

if TYPE_CHECKING:
    from distributed import Client, Future

_EXTRA = "pip install 'lambda-replay[dask]'"
_REACHED_S = 10.0
"""How long a scheduler is tried, and how long it may be without workers before a run."""
_ANSWERED_S = 60.0
"""How long workers may take to open the store."""
_ENDED_S = 5.0
_LOOK_S = 1.0
_ALONE_S = 30.0
"""How long a run waits when the last worker is gone: Dask starts one again that died."""
_FETCHED_S = 300.0
"""How long a shard may take from a worker: where that does not answer, Dask gives it up by then."""
Answer = TypeVar("Answer")


class Fleet:
    """The workers of one scheduler, as they come and go."""

    def __init__(self, client: "Client", address: str) -> None:
        self._client = client
        self._address = address
        self._threads = 0
        self._counted_s = -inf

    def threads(self) -> int:
        """Return how many threads of workers there are; asked again once that was long ago."""
        if monotonic() > self._counted_s + _LOOK_S:
            threads = self._within(_ANSWERED_S, self._client.nthreads)
            self._threads = sum(threads.values())
            self._counted_s = monotonic()
        return self._threads

    def submit(self, function: Callable[..., Answer], *args: object) -> "Future[Answer]":
        """Have a worker call a function, and another one where that is lost."""
        # Not pure: of two calls that are alike, Dask would make one.
        return self._client.submit(function, *args, pure=False)

    def result(self, future: "Future[Answer]", what: str) -> Answer:
        """Return what was called for; raises ReplayError, which names `what`, if it is lost."""
        from distributed import KilledWorker

        is_there, seen_s = Event(), monotonic()
        future.add_done_callback(lambda _: is_there.set())
        try:
            while not is_there.wait(_LOOK_S):
                if self.threads():
                    seen_s = monotonic()
                elif monotonic() > seen_s + _ALONE_S:
                    raise self._left_alone()
            return future.result(timeout=_FETCHED_S)
        except KilledWorker as error:
            raise ReplayError(
                f"{error.allowed_failures + 1} workers were lost one after the other with {what}",
                "what a handler does may kill them, for want of memory say: replay it without"
                " --scheduler",
            ) from error
        except (CancelledError, OSError, TimeoutError) as error:
            raise self._out_of_reach(error) from error

    def cancel(self, futures: Sequence["Future[Any]"]) -> None:
        """Have nothing of this done any more, as far as it can still be said."""
        with suppress(ReplayError):
            self._within(_ENDED_S, lambda: self._client.cancel(futures))

    def refuse_others(self, run: Run) -> None:
        """Raise ReplayError for a worker that would not replay a run as this machine does."""
        for name, versions in self._ask(worker.software).items():
            try:
                run.software.refuse(Software(*versions))
            except ReplayError as why:
                raise of_worker(name, why) from why
        for name, error in self._ask(worker.prepare, run).items():
            if isinstance(error, OtherCodeError):
                raise self._other_code(name, error, run)
            if error is not None:
                raise of_worker(name, error)

    def end(self, run: Run) -> None:
        """Have the workers end what they do for a run, those that can be reached soon."""
        with suppress(ReplayError):
            self._ask(worker.end, run, limit_s=_ENDED_S)

    def _other_code(self, name: str, error: ReplayError, run: Run) -> ReplayError:
        theirs = self._ask(worker.code, run, workers=[name])[name]
        differ = checkout.differing(checkout.digests(run.work.plan.folders), theirs)
        more = f" and {len(differ) - 1:,} files more" if differ[1:] else ""
        where = f", in {differ[0]}{more}" if differ else ""  # None: it was changed meanwhile
        return of_worker(name, ReplayError(f"{error.message}{where}", error.hint))

    def _ask(
        self,
        function: Callable[..., Any],
        *args: object,
        workers: list[str] | None = None,
        limit_s: float = _ANSWERED_S,
    ) -> Mapping[str, Any]:
        """Return each worker's answer, by its address."""
        found: Mapping[str, Any] = self._within(
            limit_s,
            lambda: self._client.run(function, *args, workers=workers, on_error="return"),
        )
        for name, answer in found.items():
            if isinstance(answer, Exception) and not isinstance(answer, ReplayError):
                raise ReplayError(
                    f"worker {name} cannot replay: {answer}",
                    f"it needs this version of replay, and Dask: {_EXTRA}",
                ) from answer
        return found

    def _within(self, limit_s: float, ask: Callable[[], Any]) -> Any:
        async def answered() -> Any:
            return await ask()

        try:
            return self._client.sync(answered, callback_timeout=limit_s)
        except TimeoutError as error:
            raise ReplayError(
                f"not all workers of {self._address} answer within {limit_s:g} s",
                "the scheduler's log says which; start that one again",
            ) from error
        except (CancelledError, OSError) as error:
            raise self._out_of_reach(error) from error

    def _out_of_reach(self, error: BaseException) -> ReplayError:
        return ReplayError(
            f"scheduler {self._address} is out of reach: {error}",
            "what was not judged is not lost: run it again once the scheduler is there",
        )

    def _left_alone(self) -> ReplayError:
        return ReplayError(
            f"scheduler {self._address} has had no worker for {_ALONE_S:g} s",
            f"start some, each in the folder of the project: dask worker {self._address}",
        )


@contextmanager
def reached(address: str) -> Iterator[Fleet]:
    """Yield the workers of a scheduler, of which there is one at least; raises ReplayError."""
    client = _client(address)
    try:
        with _silent_logs():
            try:
                client.wait_for_workers(1, timeout=_REACHED_S)
            except TimeoutError as error:
                raise ReplayError(
                    f"scheduler {address} has no workers",
                    f"start some, each in the folder of the project: dask worker {address}",
                ) from error
            yield Fleet(client, address)
    finally:
        client.close(timeout=_ENDED_S)


def _client(address: str) -> "Client":
    try:
        from distributed import Client
    except ImportError as error:
        raise ReplayError(f"--scheduler needs Dask: {error}", _EXTRA) from error
    try:
        with _silent_logs():
            asyncio.run(_greet(address))
            return Client(address, timeout=_REACHED_S, set_as_default=False, name="replay")
    except (ImportError, OSError, TypeError, ValueError) as error:  # as Dask has it
        why = str(error) or "what is there does not answer as one"
        raise ReplayError(
            f"scheduler {address} cannot be reached: {why}",
            "start one, and name it as it says: dask scheduler; --scheduler tcp://HOST:8786",
        ) from error


async def _greet(address: str) -> None:
    """Shake hands with a scheduler: Dask's own client would wait for ever for one that does not."""
    from distributed import Security
    from distributed.comm.core import connect

    how = Security().get_connection_args("client")
    greeting = connect(address, timeout=_REACHED_S, **how)
    comm = await asyncio.wait_for(greeting, _REACHED_S + _LOOK_S)
    await comm.close()


@contextmanager
def _silent_logs() -> Iterator[None]:
    """Keep Dask from logging to stderr in this block: what matters, a ReplayError says."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [it.level for it in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def of_worker(name: str, error: ReplayError) -> ReplayError:
    """Return an error of a worker's with its address."""
    return ReplayError(f"worker {name}: {error.message}", error.hint)
