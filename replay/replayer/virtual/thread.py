"""Threads that run in turn, and whose ends are waited for on the timeline."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from replay.replayer.virtual import real
from replay.replayer.virtual.strand import Strand
from replay.replayer.virtual.timeline import Timeline


class Threads:
    """In the places of the functions that start a thread, and of `Thread.join` and `is_alive`."""

    def __init__(self, timeline: Timeline, on_start: Callable[[], None]) -> None:
        self._timeline = timeline
        self._on_start = on_start
        self._alive = 0
        self._strands: WeakKeyDictionary[threading.Thread, Strand] = WeakKeyDictionary()

    def start_new_thread(
        self,
        function: Callable[..., object],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any] | None = None,
        /,
    ) -> int:
        """Start a thread that calls `function`; return its identifier."""
        strand, body = self._announce(function, lambda: function(*args, **(kwargs or {})))
        with self._withdrawing(strand):
            return real.start_new_thread(body, ())

    def start_joinable_thread(self, function: Callable[[], object], **options: Any) -> Any:
        """Start a thread as `threading` does from Python 3.13 on; return its handle."""
        strand, body = self._announce(function, function)
        with self._withdrawing(strand):
            return real.start_joinable_thread(body, **options)  # type: ignore[misc]

    @contextmanager
    def _withdrawing(self, strand: Strand) -> Iterator[None]:
        try:
            yield
        except BaseException:  # no thread can be started any more
            self._alive -= 1
            self._timeline.withdraw(strand)
            raise

    def count(self) -> int:
        """Return how many threads there are besides the main one; real ones end a little later."""
        return self._alive

    def _announce(
        self, function: Callable[..., object], run: Callable[[], object]
    ) -> tuple[Strand, Callable[[], None]]:
        def counted() -> None:
            try:
                run()
            finally:
                self._alive -= 1

        self._alive += 1
        strand, body = self._timeline.announce(counted)
        thread = getattr(function, "__self__", None)
        if isinstance(thread, threading.Thread):
            self._strands[thread] = strand
        self._on_start()
        return strand, body

    def after_fork(self) -> None:
        """Forget the threads of the parent, which `threading` knows to have ended."""
        self._strands.clear()
        self._alive = 0

    def join_of(self) -> Callable[..., None]:
        """Return what stands in for `Thread.join`."""

        def join(thread: threading.Thread, timeout: float | None = None) -> None:
            """Wait until the thread terminates."""
            strand = self._strands.get(thread)
            if (
                strand is None
                or thread is threading.current_thread()
                or self._await_end(strand, self._timeline.until_ns(timeout))
            ):
                real.join(thread, timeout)  # it is on its way out, or raises what join raises

        return join

    def _await_end(self, strand: Strand, until_ns: int | None) -> bool:
        return self._timeline.wait(strand.ended, until_ns, unless=lambda: strand.is_finished)

    def is_alive_of(self) -> Callable[..., bool]:
        """Return what stands in for `Thread.is_alive`."""

        def is_alive(thread: threading.Thread) -> bool:
            """Return whether the thread is alive."""
            strand = self._strands.get(thread)
            if strand is not None and strand.is_finished:
                real.join(thread)
            else:
                self._timeline.poll()
            return real.is_alive(thread)

        return is_alive
