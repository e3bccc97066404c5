"""The child process of a sandbox, which its parent limits and ends.

The child leads a session of its own. Whatever happens, everything that the handler started is
killed when the child is done with (descendant.py), so that nothing stays behind; an interrupt ends
every wait. The child is not waited for before that, so that its number stays its own.
"""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from math import ceil
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

from replay.replayer.channel import Channel, Message, pair
from replay.replayer.descendant import MARKER, Descendants, entry_of
from replay.replayer.finding import FindingReader
from replay.replayer.interpreter import UMASK, environment
from replay.replayer.memory import peak_bytes, used_bytes
from replay.replayer.network import Endpoint
from replay.replayer.output import Output

if TYPE_CHECKING:
    from replay.replayer.watch import Watch

_POLL_S = 0.05
_HASTY_POLL_S = 0.005
"""For a child that has half of its memory: it may take 3 GB a second."""
_of_process = Event()
_interrupted: ContextVar[Event] = ContextVar("interrupted", default=_of_process)


def interrupt() -> None:
    """End every wait for a child in this context: of the process, where it has none of its own."""
    _interrupted.get().set()


def resume() -> None:
    """Let children be waited for again in this context."""
    _interrupted.get().clear()


@contextmanager
def interrupted_by(event: Event) -> Iterator[None]:
    """Have waits in this block end with a KeyboardInterrupt once `event` is set, by any thread."""
    token = _interrupted.set(event)
    try:
        yield
    finally:
        _interrupted.reset(token)


class Process:
    """A Python module in a fresh interpreter, with a channel to it.

    `output` is what it writes, `findings` what it finds out about its handler.
    `hash_seed` None leaves hashing random; `on_terminal` keeps it in the terminal's foreground, for
    a debugger. Above `memory_limit_bytes` the child is ended, and `exceeded_bytes` is what it had.
    """

    memory_limit_bytes: int | None = None
    exceeded_bytes: int | None = None

    def __init__(self, module: str, *, hash_seed: int | None, on_terminal: bool = False) -> None:
        ours, theirs = pair()
        self.channel = Channel(ours)
        self.output = Output()
        self.findings = FindingReader()
        self.made_of = module, hash_seed, on_terminal
        self._watch: Watch | None = None
        self._peak_bytes: int | None = None
        self._leads_group = not on_terminal
        self._has_been_ended = False
        self._poll_s = _POLL_S
        marker = uuid4().hex
        with theirs:
            passed = theirs.fileno(), self.findings.fileno()
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-u", "-m", module, *map(str, passed)],
                env={**environment(hash_seed, on_terminal=on_terminal), MARKER: marker},
                umask=-1 if hash_seed is None else UMASK,
                stdin=None if on_terminal else subprocess.DEVNULL,
                # Answers go to stdout; what is said in a debugger is talk.
                stdout=sys.stderr if on_terminal else self.output.fileno(),
                stderr=None if on_terminal else subprocess.STDOUT,
                pass_fds=passed,
                start_new_session=not on_terminal,
            )
        self.descendants = Descendants(self._child.pid, marker)

    @classmethod
    def started(cls, module: str, *, hash_seed: int | None, on_terminal: bool) -> "Process":
        """Return a fresh process: one that was prepared, if it is of this kind, else a new one."""
        for spare in _spares:
            if spare.made_of == (module, hash_seed, on_terminal):
                _spares.remove(spare)
                return spare
        return cls(module, hash_seed=hash_seed, on_terminal=on_terminal)

    @property
    def has_ended(self) -> bool:
        """Whether the child itself is gone."""
        return self._status(os.WNOHANG) is not None

    def wait_for(self, readers: list[socket.socket], limit_s: float | None) -> list[socket.socket]:
        """Return the sockets that can be read, none once `limit_s` has passed.

        Raises EOFError where the child has ended and nothing is left to read.
        """
        deadline = None if limit_s is None else monotonic() + limit_s
        interrupted = _interrupted.get()
        while not interrupted.is_set():
            left = self._poll_s if deadline is None else max(0.0, deadline - monotonic())
            ready = _readable(readers, min(self._poll_s, left))
            if not ready:
                self.output.trim()
                self._limit_memory()
            if not ready and self.has_ended:
                # Its last words are read whole: a result of 6 MB may not lose the race.
                ready = _readable(readers, 0)
                if not ready:
                    raise EOFError
            if ready or (deadline is not None and monotonic() >= deadline):
                return ready
        raise KeyboardInterrupt

    def receive(self, limit_s: float | None) -> Message | None:
        """Return the child's next message, None once `limit_s` has passed; EOFError: it ended."""
        # One that came together with the last is no longer in the socket.
        if not self.channel.has_unread and not self.wait_for([self.channel.connection], limit_s):
            return None
        message = self.channel.receive()
        if message[0].get("stage") != "denies_sockets":
            return message
        from replay.replayer.watch import Watch  # 3 ms, while the child imports the handler

        own = message[0]["own"] and Endpoint.of(message[0]["own"])
        self._watch = Watch(self.channel.take_descriptor(), self.findings, own)
        return self.receive(limit_s)

    def status(self) -> int:
        """Wait for the child to end; return its exit status, negative for a signal's number."""
        status = self._status(0)
        return self._child.wait() if status is None else status

    def peak_memory_bytes(self) -> int | None:
        """Return the most memory the child was seen to have in use; None where nobody can say."""
        now = None if self._has_been_ended else peak_bytes(self._child.pid)
        self._peak_bytes = max(now or 0, self._peak_bytes or 0) or None
        return self._peak_bytes

    def end(self) -> None:
        """Kill the child and all its descendants; what it has written can still be read."""
        if self._has_been_ended:
            return
        self.peak_memory_bytes()
        self._has_been_ended = True
        if self._child.returncode is None:
            self.descendants.end()
        with suppress(ProcessLookupError, PermissionError):
            if self._leads_group:
                os.killpg(self._child.pid, signal.SIGKILL)
            else:
                self._child.kill()
        self._child.wait()

    def close(self) -> None:
        """End it, and let go of its channel and its output."""
        self.end()
        if self._watch is not None:
            self._watch.close()
        self.channel.connection.close()
        self.output.close()
        self.findings.close()

    def _status(self, flags: int) -> int | None:
        """Return the exit status of a child that has ended, and stays to be waited for."""
        if self._child.returncode is not None or not hasattr(os, "waitid"):  # macOS before 3.13
            return self._child.poll()
        try:
            ended = os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOWAIT | flags)
        except ChildProcessError:  # whoever runs this program has it ignore its children
            return self._child.poll()
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def _limit_memory(self) -> None:
        """End a child that has taken more than its limit, as Lambda would."""
        living, limit = self.descendants.look(), self.memory_limit_bytes
        child = entry_of(self._child.pid)
        if limit is None or child is None:
            return
        used = used_bytes([child, *living], limit)
        self._poll_s = _POLL_S if used < limit // 2 else _HASTY_POLL_S
        if used > limit:
            self.exceeded_bytes = used
            self.end()


@contextmanager
def prepared(module: str, *, hash_seed: int) -> Iterator[None]:
    """Have a process of this kind start at once, for the first one that is asked for."""
    spare = Process(module, hash_seed=hash_seed)
    _spares.append(spare)
    try:
        yield
    finally:
        if spare in _spares:
            _spares.remove(spare)
            spare.close()


_spares: list[Process] = []


def _readable(readers: list[socket.socket], limit_s: float) -> list[socket.socket]:
    # Not select(), which refuses descriptors from 1,024 on: a host may have as many files open.
    poll, of_descriptor = select.poll(), {reader.fileno(): reader for reader in readers}
    for descriptor in of_descriptor:
        poll.register(descriptor, select.POLLIN)
    return [of_descriptor[it] for it, _ in poll.poll(ceil(limit_s * 1000))]
