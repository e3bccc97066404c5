"""The real clock, locks and waits of this process, kept before anything takes their places."""

import _thread
import os
import select as _select
import signal
import threading
import time
from _posixsubprocess import fork_exec as _fork_exec
from _thread import RLock as _RLock
from _thread import allocate_lock as _allocate_lock
from _thread import get_ident as _get_ident
from _thread import start_new_thread as _start_new_thread
from typing import Any

RLock, allocate_lock = _RLock, _allocate_lock
get_ident, start_new_thread = _get_ident, _start_new_thread
start_joinable_thread = getattr(threading, "_start_joinable_thread", None)
count_threads = _thread._count
LockType: type = type(allocate_lock())
RLockType: type = type(RLock())
is_alive, join = threading.Thread.is_alive, threading.Thread.join
asctime, ctime, localtime, sleep = time.asctime, time.ctime, time.localtime, time.sleep
monotonic, monotonic_ns = time.monotonic, time.monotonic_ns
perf_counter, perf_counter_ns = time.perf_counter, time.perf_counter_ns
process_time, process_time_ns = time.process_time, time.process_time_ns
thread_time, thread_time_ns = time.thread_time, time.thread_time_ns
clock_gettime, clock_gettime_ns = time.clock_gettime, time.clock_gettime_ns
clock_settime, clock_settime_ns = time.clock_settime, time.clock_settime_ns
select, poll, epoll = _select.select, _select.poll, getattr(_select, "epoll", None)
fork, fork_exec, posix_spawn, posix_spawnp = os.fork, _fork_exec, os.posix_spawn, os.posix_spawnp
getpid, kill, read, times, wait, wait3, wait4 = (
    os.getpid,
    os.kill,
    os.read,
    os.times,
    os.wait,
    os.wait3,
    os.wait4,
)
waitpid = os.waitpid
waitid: Any = getattr(os, "waitid", None)  # not on macOS before Python 3.13
stat, lstat, fstat = os.stat, os.lstat, os.fstat
alarm, pause, getitimer, setitimer = signal.alarm, signal.pause, signal.getitimer, signal.setitimer


def cpu_time_s(ident: int) -> float | None:
    """Return the processor time of a thread of this process; None where nobody can say."""
    try:
        return clock_gettime(time.pthread_getcpuclockid(ident))
    except (AttributeError, OSError):  # macOS; a thread that has ended
        return None


def is_runnable(ident: int) -> bool:
    """Whether a thread of this process runs or waits for a processor; False where none can say."""
    try:
        # Linux makes the clock of the thread's number: MAKE_THREAD_CPUCLOCK of its posix-timers.h.
        thread = ~(time.pthread_getcpuclockid(ident) >> 3)
        with open(f"/proc/self/task/{thread}/stat", "rb") as file:  # noqa: PTH123 - kept small
            return file.read().rpartition(b")")[2].split()[0] == b"R"
    except (AttributeError, OSError, IndexError):  # macOS; a thread that has ended
        return False
