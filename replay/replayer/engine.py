"""The builtin engine: one replay in a fresh child process that this one limits and ends.

The child leads a process group of its own. Whatever happens, the group is killed before `run`
returns, so that nothing the handler started stays behind. What the handler writes to stdout and
stderr goes to a file, so that no amount of it can block the child.
"""

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from typing import IO, Any, Self

from replay.codec import Opaque, Truncated
from replay.errors import ReplayError
from replay.outcome import Exited, Outcome, TimedOut
from replay.recording import outcome_of
from replay.replayer.case import Case
from replay.replayer.worker import Channel
from replay.replayer.world import World, environment_of

_IMPORT_LIMIT_S = 60.0
_POLL_S = 0.05
_interrupted = Event()
_COPIED_BYTES = 1 << 20
_MAX_OUTPUT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Replay:
    """What one replay did: its outcome, its real duration, remaining time at entry, its output."""

    outcome: Outcome
    duration_us: int | None
    remaining_ms: int | None
    output: str


def run(case: Case, world: World) -> Replay:
    """Replay `case` in `world` and return what it did; raises ReplayError where it cannot be."""
    refuse_what_cannot_be_replayed(case)
    with Worker(case, world) as worker:
        return worker.run(case)


def refuse_what_cannot_be_replayed(case: Case) -> None:
    """Raise ReplayError for a recording that lacks what a replay needs."""
    recording = case.recording
    event = recording.invocation.event
    if isinstance(event, Truncated):
        raise ReplayError(
            f"recording {recording.id}: its event of {event.size_bytes:,} bytes was truncated",
            "capture it again with a larger REPLAY_MAX_BYTES",
        )
    if isinstance(event, Opaque):
        raise _not_outermost(case, f"it was given a {event.type_name} as event, not plain JSON")
    if recording.invocation.context.kind == "durable":
        raise ReplayError(
            f"recording {recording.id}: its context was a {recording.invocation.context.type_name},"
            " whose durable operations cannot be rebuilt",
            "put @capture outside the durable function's own decorator",
        )


def _not_outermost(case: Case, why: str) -> ReplayError:
    return ReplayError(
        f"recording {case.recording.id}: capture is not the outermost decorator of {case.handler}:"
        f" {why}",
        "move @capture above every other decorator of the handler, and capture again",
    )


def _project_of(case: Case) -> Path:
    top = case.handler.split(".")[0].split("/")[0]
    for folder in case.folders:
        if (folder / f"{top}.py").exists() or (folder / top).is_dir():
            return folder
    return case.folders[-1]


def _lay_out(root: Path, project: Path) -> None:
    # The handler's working directory shows the project's files, as on Lambda. Small files are
    # copies, which may be written to; what lies behind a link, guard.py keeps from being written.
    (root / "home").mkdir()
    (root / "task").mkdir()
    for entry in project.iterdir():
        shown = root / "task" / entry.name
        if entry.is_file() and entry.stat().st_size <= _COPIED_BYTES:
            shutil.copy2(entry, shown)
        else:
            shown.symlink_to(entry.absolute())


class Worker:
    """A child process in `world`, with the environment and the import that `case` needs.

    `run` may be called for several cases of the same handler, which then share a warm sandbox,
    until one of them ends the process.
    """

    def __init__(self, case: Case, world: World) -> None:
        self._world = world
        self._folder = tempfile.TemporaryDirectory(prefix="replay-", ignore_cleanup_errors=True)
        self._root = Path(self._folder.name)
        self._project = _project_of(case)
        _lay_out(self._root, self._project)
        self._output = (self._root / "output").open("w+b")
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = _start(theirs.fileno(), world, self._root, self._output)
        self._conversation = Conversation(ours, self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._conversation.connection.close()
        self._output.close()
        self._folder.cleanup()

    def run(self, case: Case) -> Replay:
        """Run one case and return what it did; raises ReplayError where it cannot be had."""
        entered = self._await_entry(case)
        if entered["stage"] != "entered":
            raise _failure(case, entered)
        at_entry = entered["remaining_ms"]
        try:
            done = self._conversation.next(case.limit_ms / 1000)
        except (EOFError, ConnectionError):
            return Replay(Exited(self._process.wait()), None, at_entry, self._text())
        if done is None and case.is_cut_short:
            raise ReplayError(
                f"recording {case.recording.id}: stopped by the timeout of {case.timeout_s} s,"
                " before its deadline",
                "give it longer with --timeout SECONDS",
            )
        if done is None:
            limit_ms = case.limit_ms
            return Replay(TimedOut(limit_ms), limit_ms * 1000, at_entry, self._text())
        if done["stage"] != "done":
            raise _failure(case, done)
        if done["inside"]:
            raise _not_outermost(case, f"the {done['inside']} is changed outside of it")
        outcome = outcome_of(done["outcome"])
        return Replay(outcome, done["duration_us"], done["remaining_ms"], self._text())

    def _await_entry(self, case: Case) -> dict[str, Any]:
        try:
            self._conversation.channel.send(self._request(case))
            message = self._conversation.next(_IMPORT_LIMIT_S)
        except (EOFError, ConnectionError):
            status = self._process.wait()
            why = f"the process ended with status {status}\n{self._text()[-2000:]}".rstrip()
            message = {"stage": "failed", "error_type": "Runtime.ExitError", "message": why}
        if message is None:
            raise ReplayError(
                f"handler {case.handler} was not imported within {_IMPORT_LIMIT_S:.0f} s",
                "import it by itself to see what it waits for",
            )
        return message

    def _request(self, case: Case) -> dict[str, object]:
        recording = case.recording
        home = str(self._root / "home")
        return {
            "id": recording.id,
            "begun": recording.parts()[0].payload,
            "handler": case.handler,
            "folders": [str(folder) for folder in case.folders],
            "environment": environment_of(recording.invocation, home, str(self._root / "task")),
            "project": str(self._project),
            "world": asdict(self._world),
        }

    def _text(self) -> str:
        self._output.seek(0)
        text = self._output.read(_MAX_OUTPUT_BYTES).decode(errors="replace")
        is_whole = self._output.tell() < _MAX_OUTPUT_BYTES
        return text if is_whole else f"{text}\n[output cut at 1 MiB]\n"


def _start(descriptor: int, world: World, root: Path, output: IO[bytes]) -> subprocess.Popen[bytes]:
    search = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in search if entry),
        "PYTHONHASHSEED": str(world.hash_seed),
    }
    return subprocess.Popen(
        [sys.executable, "-P", "-u", "-m", "replay.replayer.worker", str(descriptor)],
        env=environment,
        cwd=root / "task",
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=[descriptor],
        start_new_session=True,
    )


def interrupt() -> None:
    """End every replay of this process that is under way, for the interpreter is to stop."""
    _interrupted.set()


class Conversation:
    """Messages from the child, each waited for until a limit or the child's end."""

    def __init__(self, connection: socket.socket, process: subprocess.Popen[bytes]) -> None:
        self.connection = connection
        self.channel = Channel(connection)
        self.process = process

    def next(self, limit_s: float) -> dict[str, Any] | None:
        """Return the next message, None once `limit_s` has passed; EOFError: the child ended."""
        deadline = monotonic() + limit_s
        while not _interrupted.is_set():
            ended = self.process.poll() is not None
            wait = 0 if ended else min(_POLL_S, max(0.0, deadline - monotonic()))
            # A message that is under way is read whole: a result of 6 MB may not lose the race.
            if select.select([self.connection], [], [], wait)[0]:
                return self.channel.receive()
            if ended:
                raise EOFError
            if monotonic() >= deadline:
                return None
        raise KeyboardInterrupt


def _failure(case: Case, message: dict[str, Any]) -> Exception:
    if message["stage"] == "bug":
        return RuntimeError(f"the replay worker failed:\n{message['traceback']}")
    tried = ", ".join(str(folder) for folder in case.folders)
    return ReplayError(
        f"handler {case.handler} cannot be had: {message['error_type']}: {message['message']}",
        f"looked in {tried}; name it with --handler MODULE.FUNCTION, its folder with --path",
    )
