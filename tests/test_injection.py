"""A failure at every line and every system call of the recorder: the host sees no change at all."""

import errno
import gc
import http.client
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from itertools import count, cycle
from pathlib import Path

import orjson
import pytest
from identical import see

import replay
from replay import capture
from replay.recorder import guard, remaining, running
from replay.recorder.environment import journal_of
from replay.settings import Settings

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PACKAGE = str(Path(replay.__file__).parent)
ERRORS = (
    *(ValueError, KeyError, AttributeError, TypeError, MemoryError, RecursionError, StopIteration),
    *(
        AssertionError,
        RuntimeError,
        UnicodeDecodeError,
        ZeroDivisionError,
        sqlite3.ProgrammingError,
    ),
    *(sqlite3.OperationalError, orjson.JSONEncodeError, OSError, BlockingIOError),
)


class LambdaContext:
    """As the runtime client's."""

    def __init__(self) -> None:
        self.aws_request_id = "r-1"
        self._epoch_deadline_time_in_ms = int(time.time() * 1000) + 3000

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))


class OwnContext:
    """As a local runner's."""

    def get_remaining_time_in_millis(self) -> int:
        return 5


class Host:
    """A handler that makes an outbound call over a socket of its own, then returns or raises."""

    def __init__(self, *, calls: bool, raises: bool) -> None:
        self.calls = calls
        self.raises = raises
        self.made: list[object] = []
        self.reach = lambda stage: None
        self.pairs: list[tuple[socket.socket, socket.socket]] = []

    def prepare(self) -> None:
        self.ours, self.theirs = self.pairs.pop() if self.pairs else socket.socketpair()
        self.theirs.sendall(ANSWER)

    def handler(self, event, context):
        print("working")
        context.get_remaining_time_in_millis()
        body = b""
        if self.calls:
            connection = http.client.HTTPConnection("service.test")
            connection.sock = self.ours
            self.reach("sent")
            connection.request("POST", "/", b"{}", {"Content-Type": "application/json"})
            self.reach("answered")
            body = connection.getresponse().read()
            connection.close()
        self.ours.close()
        self.theirs.close()
        self.reach("ended")
        if self.raises:
            self.made.append(error := ValueError("boom", body))
            raise error
        self.made.append({"body": body.decode()})
        return self.made[-1]

    def see(self, handler, context, tracer=None, event=None):
        self.prepare()
        event = event or {"a": [1, "x"]}
        tracing = sys.gettrace()
        sys.settrace(tracer)
        try:
            seen = see(handler, event, context, self.made)
        finally:
            sys.settrace(tracing)
            self.ours.close()  # where the handler was not reached
            self.theirs.close()
        seen.changed.pop("tracing", None)
        return seen


TRACER = """
class Fault:
    def __init__(self, n, error, is_guarded):
        self.left = n
        self.error = error
        self.is_guarded = is_guarded

    def __call__(self, frame, event, arg):
        return self.on_line if self.is_guarded(frame) else None

    def on_line(self, frame, event, arg):
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise self.error
        return self.on_line
"""
"""A tracer that raises at the n-th line of ours below the guard; its frame must pass for ours."""
names: dict = {}
exec(compile(TRACER, f"{PACKAGE}/tracer.py", "exec"), names)
Fault = names["Fault"]


def is_guarded(frame) -> bool:
    if not frame.f_code.co_filename.startswith(PACKAGE) or frame.f_code is guard.guarded.__code__:
        return False
    while frame is not None and frame.f_code is not guard.guarded.__code__:
        frame = frame.f_back
    return frame is not None


def error_of(kind: type[BaseException]) -> BaseException:
    if kind is UnicodeDecodeError:
        return UnicodeDecodeError("utf-8", b"x", 0, 1, "injected")
    return kind(errno.EIO, "injected") if issubclass(kind, OSError) else kind("injected")


@pytest.fixture
def fresh(project, monkeypatch):
    """A store of its own, few variables, since each is looked at line by line, nothing said yet."""
    for name in os.environ.keys() - {"PATH", "PYTEST_CURRENT_TEST", "TMPDIR"}:
        monkeypatch.delenv(name)
    monkeypatch.setenv("API_TOKEN", "planted-token-1")
    monkeypatch.setenv("REPLAY_STORE", str(project / "replay.db"))
    monkeypatch.setattr(guard, "_said", set())
    monkeypatch.setattr(guard, "_failures", {})
    gc.disable()  # an exception within a collector's callback is nobody's to catch
    yield str(project / "replay.db")
    gc.enable()


def start_cold(store: str) -> None:
    journal = journal_of(Settings(store=store))
    journal.close()
    journal._paused_until = 0


@pytest.mark.slow
@pytest.mark.parametrize("step", [97, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", [LambdaContext, OwnContext])
@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize("calls", [False, True])
def test_an_exception_at_any_line_of_the_recorder_changes_nothing(fresh, kind, raises, calls, step):
    """Raised by a tracer at one line after the other, a different kind each time."""
    host = Host(calls=calls, raises=raises)
    captured = capture(host.handler)
    bare = host.see(host.handler, kind())
    kinds = cycle(ERRORS)
    before = len(running._running), len(remaining._by_context)
    for n in count(1 + step // 2, step):
        start_cold(fresh)
        fault = Fault(n, error_of(next(kinds)), is_guarded)
        seen = host.see(captured, context := kind(), fault)
        assert bare == seen, (n, fault.error)
        assert before == (len(running._running), len(remaining._by_context)), n
        assert set(vars(context)) == set(vars(kind())), n
        if fault.left > 0:
            break
    assert n > 300
    assert bare == host.see(captured, kind())


SYSTEM_CALLS = "openat,write,pwrite64,pread64,newfstatat,fcntl,ftruncate,fallocate,mmap,fdatasync"
PROGRAM = """
import os, sys, test_injection as t
from replay import capture
from replay.recorder import guard
from replay.recorder.environment import journal_of
from replay.settings import Settings

for raises in (False, True):
    for _ in range(2):
        host = t.Host(calls=True, raises=raises)
        bare = host.see(host.handler, t.OwnContext())
        assert bare == host.see(capture(host.handler), t.OwnContext())
journal = journal_of(Settings(store=os.environ["REPLAY_STORE"]))
print("same", journal.lost + guard.failures())
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("number", ["EIO", "ENOSPC", "EMFILE"])
@pytest.mark.parametrize(
    "calls", [[1, 4, 9, 16], pytest.param(range(1, 80), id="all", marks=pytest.mark.long)]
)
def test_a_system_call_that_fails_changes_nothing(tmp_path, number, calls):
    """The n-th that has to do with the store's files, for one n after the other."""
    injected = [run_with_failure(tmp_path / str(n), number, n) for n in calls]
    assert injected[0]
    assert all(injected[: sum(injected)])


def run_with_failure(folder: Path, number: str, n: int) -> bool:
    """Run the program with a failing call; return whether it came to that call."""
    folder.mkdir()
    files = [f"{folder}/replay.db{suffix}" for suffix in ("", "-wal", "-shm", ".spool", "-journal")]
    paths = [option for file in files for option in ("-P", file)]
    fault = f"inject={SYSTEM_CALLS}:error={number}:when={n}"
    command = ["strace", "-qq", "-o", f"{folder}/log", *paths, "-e", fault, sys.executable, "-c"]
    environment = {**os.environ, "REPLAY_STORE": files[0], "TMPDIR": str(folder)}
    done = subprocess.run(
        [*command, PROGRAM],
        cwd=Path(__file__).parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("same "), (number, n, done.stderr)
    lost = int(done.stdout.split()[1])
    assert parts_in(folder) + lost >= 16, (number, n, done.stderr)
    return "(INJECTED)" in (folder / "log").read_text()


def parts_in(folder: Path) -> int:
    """How many parts there are: in stores, those set aside too, and in spools."""
    found: set[object] = set()
    for file in folder.iterdir():
        if file.name.endswith("spool"):
            found.update(line.split(b" ", 3)[0] for line in file.read_bytes().split(b"\n") if line)
        elif (
            file.name.startswith("replay.db") and file.suffix != ".spool" and "-" not in file.suffix
        ):
            with closing(sqlite3.connect(file)) as store, suppress(sqlite3.Error):
                found.update(b"%08x" % crc for (crc,) in store.execute("SELECT crc FROM part"))
    return len(found)
