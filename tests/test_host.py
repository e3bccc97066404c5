"""The host does not notice: whatever a handler is given, returns or raises is as without us."""

import asyncio
import ctypes
import gc
import io
import itertools
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Callable
from contextlib import closing
from unittest import mock

import pytest
from conftest import also_slow
from databases import query
from identical import see

from replay import capture
from replay.recorder import recorder, ulid
from replay.store.selection import Selection


@pytest.fixture(autouse=True)
def captured_here(project, monkeypatch):
    monkeypatch.setenv("REPLAY_STORE", str(project / "replay.db"))


@pytest.fixture
def recordings(stored):
    return lambda: list(stored().find(Selection()))[::-1]


class Host:
    """A handler that does what it is told, and says what it is about to give."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act
        self.made: list[object] = []

    def handler(self, event, context):
        print("working")
        result = self.act()
        if isinstance(result, BaseException):
            self.made.append(result)
            raise result
        self.made.append(result)
        return result


def check_identical(act: Callable[[], object], context: object = None, event: object = None):
    """Call a handler bare and captured; return both and what it gave."""
    host = Host(act)
    bare = see(host.handler, event, context, host.made)
    captured = see(capture(host.handler), event, context, host.made)
    assert bare == captured
    assert bare.changed == {}
    host.made.clear()
    return captured.made


class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Deadly(Exception):
    def __str__(self):
        raise SystemExit(9)

    __repr__ = __str__


class Falsy(Exception):
    def __bool__(self):
        raise ZeroDivisionError

    __len__ = __bool__


class NoArguments(Exception):
    @property
    def args(self):
        raise ZeroDivisionError


class Own(BaseException):
    pass


def chained(*links: BaseException) -> BaseException:
    for inner, outer in itertools.pairwise(links):
        outer.__context__ = inner
        outer.__cause__ = inner
    return links[-1]


def looped() -> BaseException:
    first, second = ValueError(1), ValueError(2)
    first.__context__, second.__context__ = second, first
    return first


RAISED = {
    "plain": lambda: ValueError("boom", 1),
    "a failing text": Silent,
    "a deadly text": Deadly,
    "falsy": Falsy,
    "falsy causes": lambda: chained(Falsy(), Silent(), Deadly(), ValueError()),
    "no arguments to be had": NoArguments,
    "huge arguments": lambda: ValueError("x" * 7_000_000, list(range(100_000))),
    "arguments that are unlike JSON": lambda: ValueError(object(), {1: {2}}, io.StringIO("x")),
    "a loop of contexts": looped,
    "notes": lambda: (error := ValueError(), error.add_note("note"))[0],
    "a group": lambda: ExceptionGroup("several", [ValueError(1), Silent()]),
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": lambda: SystemExit(3),
    "SystemExit of anything": lambda: SystemExit(Deadly()),
    "GeneratorExit": GeneratorExit,
    "CancelledError": asyncio.CancelledError,
    "StopIteration": lambda: StopIteration(1),
    "one of the host's own": Own,
    "MemoryError": MemoryError,
    "RecursionError": RecursionError,
    "an error of ours": lambda: __import__("sqlite3").OperationalError("theirs"),
}


@pytest.mark.parametrize("name", also_slow([it for it in RAISED if "huge" not in it], RAISED))
def test_what_is_raised_is_raised_as_without_us(name, recordings):
    """The same object with args, traceback, context and cause; and it is recorded."""
    check_identical(RAISED[name])
    (recording,) = recordings()
    assert recording.outcome is not None


class Deep:
    """Asked for anything, it falls."""

    def __getattr__(self, name):
        raise AssertionError(name)

    def __repr__(self):
        raise AssertionError

    __str__ = __len__ = __bool__ = __iter__ = __hash__ = __eq__ = __repr__


async def coroutine():
    return 1


async def stream():
    yield 1


def closed(made: object) -> None:
    if hasattr(type(made), "close"):
        made.close()


RETURNED = {
    "a generator": lambda: (n for n in [1]),
    "an iterator": lambda: iter([1]),
    "a coroutine": coroutine,
    "an asynchronous generator": stream,
    "a file": lambda: io.BytesIO(b"x" * 100),
    "a view": lambda: memoryview(b"x"),
    "something touchy": Deep,
    "something that exits": lambda: Falling(SystemExit),
    "a list of touchy things": lambda: [Deep(), {1: Deep()}],
    "a mock": mock.MagicMock,
    "a loop": lambda: (loop := [], loop.append(loop))[0],
    "6 MB": lambda: {"body": "x" * 6_000_000},
    "NaN": lambda: float("nan"),
    "a surrogate": lambda: "\ud800",
    "deep": lambda: __import__("functools").reduce(lambda one, _: [one], range(5000), 1),
    "a class": lambda: Deep,
    "nothing": lambda: None,
}


@pytest.mark.parametrize("make", RETURNED.values(), ids=RETURNED)
def test_what_is_returned_is_returned_as_without_us(make, recordings):
    """Never consumed, never asked for its text; and its outcome is recorded."""
    made = []
    check_identical(lambda: made.append(make()) or made[-1])
    (recording,) = recordings()
    assert recording.outcome is not None
    for one in made:
        if type(one) is io.BytesIO:
            assert one.tell() == 0
        elif type(one) is types.GeneratorType:
            assert list(one) == [1]
        elif type(one) is types.CoroutineType:
            one.close()


class Falling:
    """Each attribute raises."""

    def __init__(self, error: type[BaseException]) -> None:
        object.__setattr__(self, "error", error)

    def __getattribute__(self, name):
        raise object.__getattribute__(self, "error")


def with_properties(error: type[BaseException], **more: object) -> object:
    def fail(self):
        raise error

    names = ("aws_request_id", "function_name", "client_context", "identity", "lambda_context")
    methods = {"get_remaining_time_in_millis": fail, **more}
    return type("Context", (), {**{name: property(fail) for name in names}, **methods})()


class Slow:
    """A context whose method of the remaining time is no method."""

    get_remaining_time_in_millis = 5
    client_context = Deep()
    identity = Deep()


CONTEXTS = {
    "None": lambda: None,
    "a dict": lambda: {"aws_request_id": "x"},
    "a number": lambda: 7,
    "an object": object,
    "a mock": mock.Mock,
    "a mock of everything": mock.MagicMock,
    "properties that raise": lambda: with_properties(ZeroDivisionError),
    "properties that raise AttributeError": lambda: with_properties(AttributeError),
    "properties that exit": lambda: with_properties(SystemExit),
    "properties that raise one of the host's": lambda: with_properties(Own),
    "attributes that raise": lambda: Falling(ZeroDivisionError),
    "attributes that exit": lambda: Falling(SystemExit),
    "attributes that raise one of the host's": lambda: Falling(Own),
    "something touchy": Deep,
    "odd attributes": Slow,
    "a class": lambda: Slow,
    "a module": lambda: types.ModuleType("context"),
    "a dictionary that is locked": lambda: with_properties(ValueError, __dict__=property(len)),
}


@pytest.mark.parametrize("make", CONTEXTS.values(), ids=CONTEXTS)
@pytest.mark.parametrize("raises", [False, True])
def test_any_context_serves(make, raises, recordings):
    """What could be read is stored; the context is left as it was."""
    check_identical(lambda: ValueError() if raises else 1, make())
    (recording,) = recordings()
    assert recording.outcome is not None


EVENTS = {
    "touchy": Deep,
    "a loop": lambda: (loop := {}, loop.update(loop=loop))[0],
    "a mock": mock.MagicMock,
    "6 MB": lambda: {"body": "x" * 6_000_000},
    "over the cap": lambda: {"body": "x" * 9_000_000},
    "a generator": lambda: (n for n in [1]),
    "keys of every kind": lambda: {1: 2, None: 3, (1,): 4, "\ud800": 5},
}


@pytest.mark.slow
@pytest.mark.parametrize("make", EVENTS.values(), ids=EVENTS)
def test_any_event_serves(make, recordings):
    """Whatever a caller passes in a test of its own."""
    check_identical(lambda: 1, None, make())
    assert len(recordings()) == 1


def test_a_property_that_exits_is_told_from_a_hosts_own_timeout(recordings):
    """The first would never have been asked without us; the second is the host's."""

    class HostTimeoutError(Exception):
        pass

    def on_alarm(signum, frame):
        raise HostTimeoutError

    class Context:
        @property
        def function_name(self):
            os.kill(os.getpid(), signal.SIGALRM)
            return "slow"

    old = signal.signal(signal.SIGALRM, on_alarm)
    try:
        with pytest.raises(HostTimeoutError):
            capture(lambda event, context: 1)({}, Context())
    finally:
        signal.signal(signal.SIGALRM, old)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [TimeoutError, KeyboardInterrupt, Own, ValueError])
def test_an_asynchronous_exception_reaches_the_host_exactly_once(kind):
    """Set by another thread at a random moment, as some hosts stop a handler that is late."""

    class Late(kind):
        pass

    handler = capture(lambda event, context: event)
    handler({"a": 1}, None)  # while it imports, importlib takes an OSError for its own
    me = ctypes.c_ulong(threading.get_ident())
    caught = 0
    gc.disable()  # an exception within a collector's callback is nobody's to catch
    for n in range(60):

        def stop(delay_s=n / 100_000):
            time.sleep(delay_s)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(me, ctypes.py_object(Late))

        thread = threading.Thread(target=stop)
        until = time.monotonic() + 10
        try:
            thread.start()
            while time.monotonic() < until:
                handler({"a": 1}, None)
        except Late:
            caught += 1
        thread.join()
    gc.enable()
    assert caught == 60
    assert handler({"a": 1}, None) == {"a": 1}


@pytest.mark.long
def test_an_image_that_is_restored_many_times_draws_an_id_for_each(project):
    """A fork stands for a restore: same memory, same state of `random`, same millisecond."""
    ids = []
    handler = capture(lambda event, context: event)

    def draw(writer: int) -> None:
        drawn = [ulid.new_ulid()]
        recorder.Unfinished.begin = lambda self, *_, **__: drawn.append(self.id)
        handler({}, None)
        os.write(writer, " ".join(drawn).encode())
        os._exit(0)

    for _ in range(200):
        reader, writer = os.pipe()
        if os.fork() == 0:
            draw(writer)
        os.close(writer)
        ids += os.read(reader, 100).decode().split()
        os.close(reader)
        os.wait()
    assert len(set(ids)) == 400


@pytest.mark.parametrize(
    "calls", [pytest.param(20, id="20"), pytest.param(500, id="500", marks=pytest.mark.long)]
)
def test_many_threads_may_call_at_once(recordings, project, calls):
    """32 of them: no error, nothing lost."""
    handler = capture(lambda event, context: event)
    errors = []

    def work():
        try:
            for n in range(calls):
                assert handler(n, None) == n
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    kinds = query(project / "replay.db", "SELECT kind, count(*) FROM part GROUP BY kind")
    assert sorted(kinds) == [("begun", 32 * calls), ("ended", 32 * calls)]


@pytest.mark.slow
@pytest.mark.parametrize("year", [1969, 1970, 2038, 2106, 9999])
def test_any_clock_serves(recordings, monkeypatch, year):
    """Set back and forth between calls: ids keep their order, no duration is negative."""
    first = int((year - 1970) * 365.2425 * 86400)
    for second in (first, first - 5, time.time(), first + 1):
        for module in (recorder, ulid):
            monkeypatch.setattr(module, "time_ns", lambda second=second: int(second * 10**9))
        check_identical(lambda: 1)
    found = recordings()
    ids = [one.id for one in found]
    assert len(set(ids)) == 4
    assert ids == sorted(ids)
    assert all(one.duration_us >= 0 for one in found)


@pytest.mark.parametrize("harm", ["none", "closed", "full", "touchy"])
def test_a_missing_stderr_is_nobodys_trouble(project, monkeypatch, harm):
    """There is something to say, and nobody to tell."""
    monkeypatch.setenv("REPLAY_STORE", str(project / "missing" / "replay.db"))
    monkeypatch.setattr("replay.recorder.guard._said", set())
    with closing(io.StringIO()) as stream:
        pass
    stderr = {"none": None, "closed": stream, "full": mock.Mock(), "touchy": Deep()}[harm]
    if harm == "full":
        stderr.write.side_effect = OSError(28, "No space left on device")
    monkeypatch.setattr(sys, "stderr", stderr)
    for raises in (False, True):
        check_identical(lambda raises=raises: ValueError() if raises else 1)


def test_a_timeout_while_a_result_is_looked_at_reaches_the_host(recordings):
    """Raised from a signal handler inside a method that marshalling asks: it is no answer."""

    class HostTimeoutError(Exception):
        pass

    def on_alarm(signum, frame):
        raise HostTimeoutError

    class Result:
        def _asdict(self):
            os.kill(os.getpid(), signal.SIGALRM)
            return {}

    old = signal.signal(signal.SIGALRM, on_alarm)
    try:
        with pytest.raises(HostTimeoutError):
            capture(lambda event, context: Result())({}, None)
    finally:
        signal.signal(signal.SIGALRM, old)
