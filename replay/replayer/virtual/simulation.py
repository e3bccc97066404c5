"""The virtual clock of a process: timeline, clocks, threads, children, alarms, put in place."""

import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from time_machine import escape_hatch

from replay.recorder.library import once_imported
from replay.replayer.virtual import real
from replay.replayer.virtual.agenda import NEVER_NS
from replay.replayer.virtual.alarm import Alarms
from replay.replayer.virtual.children import Children
from replay.replayer.virtual.clocks import Clocks
from replay.replayer.virtual.file_times import FileTimes
from replay.replayer.virtual.lock import Lock, RLock
from replay.replayer.virtual.patch import replace_everywhere
from replay.replayer.virtual.remaining import Remaining
from replay.replayer.virtual.strand import Hooks
from replay.replayer.virtual.thread import Threads
from replay.replayer.virtual.timeline import Timeline
from replay.replayer.virtual.waiting import Descriptors, Epoll, Poll, Poller
from replay.replayer.virtual.watch import Watch

_NS_PER_MS = 1_000_000


class Simulation(Hooks):
    """A process whose time is virtual from `put_in_place` on.

    `tell` is given what there is to be known of it: the kind of a finding and its facts.
    """

    def __init__(self, now_ns: int, tell: Callable[..., None]) -> None:
        self.timeline = Timeline(now_ns, self)
        self.clocks = Clocks(self.timeline)
        self._tell = tell
        self._watch = Watch(self.timeline)
        self._children = Children(self.timeline)
        self._alarms = Alarms(self.timeline, self._watch.begin)
        self._threads = Threads(self.timeline, self._watch.begin)
        self._descriptors = Descriptors(self.timeline)
        self._files = FileTimes(self.timeline)
        self._remaining: Remaining | None = None
        self._entry_ns = now_ns
        self._pid = real.getpid()
        self._has_raced = False

    def put_in_place(self) -> None:
        """Replace the real clock, locks and waits of this process; cannot be undone."""
        Lock.timeline = Poller.timeline = self.timeline
        replace_everywhere(
            {
                **self._reads(),
                **self._file_times(),
                **self._locks_and_threads(),
                **self._waits(),
                **self._processes(),
            }
        )
        once_imported(
            {
                "asyncio.base_events": self._complete_asyncio,
                "grpc._channel": lambda module: self._complete_grpc(module, "_determine_deadline"),
                "grpc.aio._utils": (
                    lambda module: self._complete_grpc(module, "_timeout_to_deadline")
                ),
                "logging": self._complete_logging,
                "queue": self._complete_queue,
                "selectors": self._complete_selectors,
                "subprocess": self._complete_subprocess,
                "threading": self._complete_threading,
            }
        )
        sys.addaudithook(self._files.hear)
        os.register_at_fork(after_in_child=self._after_fork)

    def enter(
        self, epoch_ms: int, remaining_ms: int, *, limit_ms: int | None, reads_ms: Sequence[int]
    ) -> None:
        """Set the clock to a handler's entry, which is ended `limit_ms` later.

        Reads of the remaining time are answered with `reads_ms`, while those can be reached.
        """
        now_ns, deadline_ms = epoch_ms * _NS_PER_MS, epoch_ms + remaining_ms
        self._entry_ns = now_ns
        self._remaining = Remaining(self.timeline, deadline_ms, reads_ms, self._tell_computed)
        ends_ns = NEVER_NS if limit_ms is None else now_ns + limit_ms * _NS_PER_MS
        self.clocks.set_wall(now_ns, ends_ns)

    def read_remaining_ms(self, _context: object) -> int:
        """Stand in for `get_remaining_time_in_millis`."""
        return self._remaining.read_ms() if self._remaining is not None else 0

    def take_place(self) -> None:
        """Take this process, a fork, for the one that the deadline ends."""
        self._pid = real.getpid()

    def leave(self) -> int:
        """Stop everything but the main thread, the caller; return microseconds since entry."""
        self.timeline.freeze()
        return (self.timeline.now_ns - self._entry_ns) // 1000

    def deadline(self) -> None:
        """End the process; in a copy of it, which the handler made, wait to be ended."""
        if real.getpid() == self._pid:
            self._tell("timed_out")
            os._exit(0)
        while True:
            real.sleep(3600)

    def alarm(self) -> None:
        """Raise SIGALRM."""
        self._alarms.deliver()

    def interrupt(self, ident: int) -> None:
        """Send SIGALRM to a thread."""
        signal.pthread_kill(ident, signal.SIGALRM)

    def stranger(self) -> None:
        """Watch: what C code has started may wait for a turn that is never passed on."""
        self._watch.begin()

    def race(self) -> None:
        """Say so, once."""
        if not self._has_raced:
            self._has_raced = True
            self._tell("raced")

    def is_outside_at_work(self) -> bool:
        """Whether a child process runs."""
        return self._children.are_running()

    def _tell_computed(self, number: int) -> None:
        self._tell("computed", read=number)

    def _after_fork(self) -> None:
        self.timeline.after_fork()
        self._threads.after_fork()
        self._children.after_fork()
        self._alarms.after_fork()
        self._watch.after_fork()

    def _reads(self) -> dict[Any, object]:
        clocks = self.clocks
        return {
            real.monotonic: clocks.monotonic,
            real.monotonic_ns: clocks.monotonic_ns,
            real.perf_counter: clocks.monotonic,
            real.perf_counter_ns: clocks.monotonic_ns,
            real.process_time: clocks.process_time,
            real.process_time_ns: clocks.process_time_ns,
            real.thread_time: clocks.process_time,
            real.thread_time_ns: clocks.process_time_ns,
            real.clock_gettime: clocks.clock_gettime,
            real.clock_gettime_ns: clocks.clock_gettime_ns,
            real.clock_settime: clocks.clock_settime,
            real.clock_settime_ns: clocks.clock_settime,
            real.asctime: clocks.asctime,
            real.ctime: clocks.ctime,
            real.times: clocks.times,
            real.sleep: clocks.sleep,
        }

    def _file_times(self) -> dict[Any, object]:
        files = self._files
        return {real.stat: files.stat, real.lstat: files.lstat, real.fstat: files.fstat}

    def _locks_and_threads(self) -> dict[Any, object]:
        threads = self._threads
        return {
            real.allocate_lock: Lock,
            real.LockType: Lock,
            real.RLockType: RLock,
            real.start_new_thread: threads.start_new_thread,
            real.count_threads: threads.count,
            **(
                {real.start_joinable_thread: threads.start_joinable_thread}
                if real.start_joinable_thread
                else {}
            ),
        }

    def _waits(self) -> dict[Any, object]:
        alarms, descriptors = self._alarms, self._descriptors
        return {
            real.select: descriptors.select,
            real.read: descriptors.read,
            real.poll: Poll,
            **({real.epoll: Epoll} if real.epoll else {}),
            real.alarm: alarms.alarm,
            real.setitimer: alarms.setitimer,
            real.getitimer: alarms.getitimer,
            real.pause: alarms.pause,
        }

    def _processes(self) -> dict[Any, object]:
        if real.waitid is None:  # whether a child has ended cannot be asked without reaping it
            return {}
        children = self._children
        starts: list[Any] = [real.fork, real.posix_spawn, real.posix_spawnp, real.fork_exec]
        of_any: list[Any] = [real.wait, real.wait3]
        of_pid: list[Any] = [real.wait4, real.waitpid]
        return {
            **{start: children.starting(start) for start in starts},
            **{wait: children.waiting(wait, None) for wait in of_any},
            **{wait: children.waiting(wait, 0) for wait in of_pid},
            real.waitid: children.waiting(real.waitid, 1),
        }

    def _complete_asyncio(self, module: Any) -> None:
        module.BaseEventLoop.time = lambda _: self.clocks.quiet()

    def _complete_grpc(self, module: Any, name: str) -> None:
        """Have native code, which keeps deadlines of its own, given those of the real clock."""
        of_virtual = getattr(module, name)

        def of_real(given_s: float | None) -> float | None:
            deadline_s: float | None = of_virtual(given_s)
            ahead_s = self.timeline.now_ns / 1e9 - escape_hatch.time.time()
            return None if deadline_s is None else deadline_s - ahead_s

        setattr(module, name, of_real)

    def _complete_logging(self, module: Any) -> None:
        kind = type(module._startTime)
        module._startTime = kind(self.timeline.now_ns / (1 if kind is int else 1e9))

    def _complete_queue(self, module: Any) -> None:
        module.time = self.clocks.quiet
        module.SimpleQueue = module._PySimpleQueue

    def _complete_selectors(self, module: Any) -> None:
        module.SelectSelector._select = select.select
        module.PollSelector._selector_cls = select.poll
        if hasattr(module, "EpollSelector"):
            module.EpollSelector._selector_cls = select.epoll
        else:  # kqueue, whose waits are not stood in for
            module.DefaultSelector = module.PollSelector

    def _complete_subprocess(self, module: Any) -> None:
        module._time = self.clocks.quiet
        if real.waitid is not None:
            module.Popen.wait = self._children.wait_of_popen(module)

    def _complete_threading(self, module: Any) -> None:
        module._time = self.clocks.quiet
        module.Thread.join = self._threads.join_of()
        module.Thread.is_alive = self._threads.is_alive_of()
