"""`@capture`: every form it takes, and that the handler does not notice."""

import asyncio
import contextlib
import functools
import gc
import inspect
import json
import os
import signal
import sys
import threading
import time
import types
from unittest import mock

import pytest

from replay import capture
from replay.outcome import Exited, Raised, Returned
from replay.recorder import guard
from replay.store.selection import Selection

lambda_context = pytest.importorskip("awslambdaric.lambda_context")


def real_context(remaining_ms: int = 3000, request_id: str = "r-1"):
    deadline = int(time.time() * 1000) + remaining_ms
    return lambda_context.LambdaContext(request_id, None, None, deadline, "arn", None)


@pytest.fixture(autouse=True)
def captured_here(project, monkeypatch):
    """Inside a test runner capture is off unless a store is named."""
    monkeypatch.setenv("REPLAY_STORE", str(project / "replay.db"))


@pytest.fixture
def recordings(stored):
    """Read back what was captured, oldest first."""
    return lambda: list(stored().find(Selection()))[::-1]


def plain(event, context):
    """Answer."""
    return {"event": event}


class Service:
    """Handlers in a class."""

    @capture
    def method(self, event, context):
        return (self is not None, event)

    @staticmethod
    @capture
    def static(event, context):
        return ("static", event)

    @capture
    @classmethod
    def of_class(cls, event, context):
        return (cls.__name__, event)

    def __call__(self, event, context):
        return ("called", event)


class Bare:
    """A handler in a class, captured as a bound method."""

    def method(self, event, context):
        return event


def test_bare_and_with_arguments_keep_signature_name_and_docstring():
    """The wrapper passes for the handler."""
    for decorated in (capture(plain), capture(sample=1.0)(plain)):
        assert inspect.signature(plain) == inspect.signature(decorated)
        assert (plain.__name__, plain.__doc__) == (decorated.__name__, decorated.__doc__)
        assert decorated.__wrapped__ is plain


def test_methods_and_callable_objects_are_captured_with_their_event(recordings):
    """Wherever the event stands among the arguments."""
    service = Service()
    calls = [
        (service.method, (True, 1)),
        (Service.static, ("static", 2)),
        (Service.of_class, ("Service", 3)),
        (capture(Service()), ("called", 4)),
        (capture(functools.partial(plain)), {"event": 5}),
        (capture(Bare().method), 6),
    ]
    for number, (handler, expected) in enumerate(calls, start=1):
        assert expected == handler(number, None)
    assert [r.invocation.event for r in recordings()] == [1, 2, 3, 4, 5, 6]


def test_arguments_by_keyword_are_found(recordings):
    """A local runner may pass them so."""
    capture(plain)(event={"a": 1}, context=None)
    assert [r.invocation.event for r in recordings()] == [{"a": 1}]


def test_async_handlers_stay_coroutine_functions_and_are_marked_awaited(recordings):
    """Coroutine-ness is kept, and the recording says that the caller awaited."""

    @capture
    async def handler(event, context):
        await asyncio.sleep(0)
        return event

    assert inspect.iscoroutinefunction(handler)
    assert asyncio.run(handler({"a": 1}, None)) == {"a": 1}
    (recording,) = recordings()
    assert recording.invocation.awaited
    assert Returned(b'{"a": 1}') == recording.outcome


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KeyError("k"), Raised),
        (SystemExit(3), Exited),
        (KeyboardInterrupt(), Exited),
        (GeneratorExit(), Exited),
    ],
)
def test_whatever_is_raised_is_recorded_and_raised_again_as_the_same_object(
    recordings, error, kind
):
    """Identity, arguments and context of the exception are the handler's."""

    @capture
    def handler(event, context):
        raise error

    with pytest.raises(BaseException) as caught:
        handler({}, None)
    assert caught.value is error
    assert error.__context__ is None
    assert isinstance(recordings()[0].outcome, kind)


def test_an_exception_that_cannot_be_printed_is_the_exit_that_it_makes_of_the_runtime(recordings):
    """It reaches the caller, and AWS's runtime client dies of asking for its text."""

    class Silent(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    @capture
    def handler(event, context):
        raise Silent(object(), 1)

    with pytest.raises(Silent):
        handler({}, None)
    assert recordings()[0].outcome == Exited(1)


def test_a_chain_of_exceptions_is_kept_with_how_it_hangs_together(recordings):
    """`raise from` is a cause, an exception in a handler a context."""

    @capture
    def handler(event, context):
        try:
            try:
                raise OSError("first")
            except OSError:
                int("second")
        except ValueError as error:
            raise KeyError("third") from error

    with pytest.raises(KeyError):
        handler({}, None)
    chain = recordings()[0].outcome.chain
    assert [(link.link, link.error_type) for link in chain] == [
        ("cause", "ValueError"),
        ("context", "OSError"),
    ]


def test_the_event_is_kept_as_it_came_in(recordings):
    """A handler may change its event."""

    @capture
    def handler(event, context):
        event.clear()

    handler({"a": [1]}, None)
    assert recordings()[0].invocation.event == {"a": [1]}


def test_every_read_of_the_remaining_time_is_kept_in_order(recordings):
    """Also those of threads, which do not inherit the context variable."""
    returned = []

    @capture
    def handler(event, context):
        returned.append(context.get_remaining_time_in_millis())
        thread = threading.Thread(
            target=lambda: returned.append(context.get_remaining_time_in_millis())
        )
        thread.start()
        thread.join()

    context = real_context()
    before = dict(vars(context))
    handler({}, context)
    recording = recordings()[0]
    assert returned == list(recording.remaining_reads_ms)
    assert recording.reads_complete
    assert before == vars(context)


def test_reads_of_another_invocations_context_are_not_mixed_in(recordings):
    """Two invocations at once keep their own values."""
    other = real_context(60_000, "r-2")

    @capture
    def handler(event, context):
        other.get_remaining_time_in_millis()
        context.get_remaining_time_in_millis()

    handler({}, real_context())
    (value,) = recordings()[0].remaining_reads_ms
    assert value <= 3000


class OwnContext:
    """A context class of a local runner."""

    def __init__(self):
        self.function_name = "own"

    def get_remaining_time_in_millis(self):
        return 1234


class SlottedContext:
    """A context whose instances have no dictionary."""

    __slots__ = ()
    function_name = "slotted"

    def get_remaining_time_in_millis(self):
        return 77


class RaisingContext:
    """A context whose properties raise."""

    aws_request_id = "r-9"

    @property
    def function_name(self):
        raise ZeroDivisionError

    def get_remaining_time_in_millis(self):
        raise ZeroDivisionError


@pytest.mark.slow
@pytest.mark.parametrize(
    ("context", "kind", "remaining_ms", "name"),
    [
        (None, "value", None, None),
        ({"aws_request_id": "x"}, "value", None, None),
        (OwnContext(), "object", 1234, "own"),
        (SlottedContext(), "object", 77, "slotted"),
        (RaisingContext(), "object", None, None),
        (mock.Mock(), "object", None, None),
        (mock.MagicMock(aws_request_id="m-1"), "object", None, None),
        (types.SimpleNamespace(function_name="ns"), "object", None, "ns"),
        (object(), "object", None, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_context_is_passed_on_untouched_and_kept_as_far_as_it_can_be_read(
    recordings, context, kind, remaining_ms, name
):
    """None, a dict, a mock that counts its calls, an object whose properties raise."""
    seen = []
    before = dict(getattr(context, "__dict__", {}))
    calls = list(getattr(context, "mock_calls", []))

    capture(lambda event, context: seen.append(context))({}, context)

    invocation = recordings()[0].invocation
    assert seen[0] is context
    assert before == dict(getattr(context, "__dict__", {}))
    assert calls == list(getattr(context, "mock_calls", []))
    assert (kind, remaining_ms) == (invocation.context.kind, invocation.remaining_ms)
    assert name == invocation.context.attributes.get("function_name")


def test_an_own_contexts_reads_are_kept_where_its_instance_can_hold_a_wrapper(recordings):
    """And where it cannot, the recording says so."""
    handler = capture(lambda event, context: context.get_remaining_time_in_millis())
    handler({}, OwnContext())
    handler({}, SlottedContext())
    kept = [(r.remaining_reads_ms, r.reads_complete) for r in recordings()]
    assert kept == [((1234,), True), ((), False)]


def test_a_durable_functions_context_is_unwrapped_and_marked(recordings):
    """Its `lambda_context` is what is kept."""

    class DurableContext:
        def __init__(self, inner):
            self.lambda_context = inner

    capture(plain)({}, DurableContext(real_context()))
    context = recordings()[0].invocation.context
    assert (context.kind, context.attributes["aws_request_id"]) == ("durable", "r-1")


def test_a_decorator_within_a_decorator_stores_one_recording(recordings):
    """Captured without a change of code and with one."""
    capture(capture(plain))({}, real_context())
    assert len(recordings()) == 1


def test_cold_and_warm_invocations_are_counted_within_their_sandbox(recordings):
    """The sandbox is the process; the first invocation is cold."""
    handler = capture(plain)
    handler({}, None)
    handler({}, None)
    first, second = (r.invocation.sandbox for r in recordings())
    assert first.id == second.id
    assert second.sequence == first.sequence + 1


def test_results_that_cannot_be_sent_are_neither_consumed_nor_described(recordings):
    """A generator comes back unstarted; a mock is not asked for its text."""
    generator = (n for n in [1, 2])
    assert capture(lambda event, context: generator)({}, None) is generator
    assert list(generator) == [1, 2]
    assert recordings()[0].outcome.error_type == "Runtime.MarshalError"


def test_capture_can_be_turned_off_and_on_between_calls(recordings, monkeypatch):
    """`REPLAY_CAPTURE` is read on every call."""
    handler = capture(plain)
    for setting in ("off", "on", "off"):
        monkeypatch.setenv("REPLAY_CAPTURE", setting)
        handler(setting, None)
    assert [r.invocation.event for r in recordings()] == ["on"]


def test_inside_a_test_runner_nothing_is_stored_unless_it_is_asked_for(project, monkeypatch):
    """A unit test of a decorated handler leaves no file behind."""
    monkeypatch.delenv("REPLAY_STORE")
    capture(plain)({}, None)
    assert list(project.iterdir()) == []
    monkeypatch.setenv("REPLAY_CAPTURE", "on")
    capture(plain)({}, None)
    assert (project / "replay.db").exists()


def test_sampling_goes_by_the_request_id_and_keeps_what_raises(recordings):
    """Retries agree, and no failure is left out."""

    @capture(sample=0.3)
    def handler(event, context):
        if event == "raise":
            raise ValueError

    for number in range(200):
        for _ in range(2):
            handler("fine", real_context(request_id=f"r-{number}"))
    with contextlib.suppress(ValueError):
        handler("raise", real_context(request_id="not-sampled-0"))
    ids = [r.invocation.context.text("aws_request_id") for r in recordings()]
    fine = [id for id in ids if id.startswith("r-")]
    assert 60 <= len(fine) <= 180
    assert all(fine.count(id) == 2 for id in fine)
    assert len(ids) == len(fine) + 1


def test_nothing_is_stored_of_what_exceeds_the_cap_but_head_and_digest(recordings, monkeypatch):
    """An event over `REPLAY_MAX_BYTES` is truncated, a result is kept by its digest."""
    monkeypatch.setenv("REPLAY_MAX_BYTES", "1KiB")
    capture(plain)({"blob": "x" * 5000}, None)
    recording = recordings()[0]
    assert recording.invocation.event.size_bytes > 5000
    assert recording.outcome.payload is None
    assert recording.outcome.size_bytes > 5000


def test_a_hosts_own_timeout_reaches_it_exactly_once(project):
    """Raised from a signal handler while our code runs, it is not taken for ours."""

    class HostTimeoutError(Exception):
        pass

    def on_alarm(signum, frame):
        raise HostTimeoutError

    caught = 0
    gc.disable()  # an exception within a collector's callback is nobody's to catch
    old = signal.signal(signal.SIGALRM, on_alarm)
    try:
        handler = capture(plain)
        for delay in range(1, 200):
            try:
                signal.setitimer(signal.ITIMER_REAL, delay / 500_000)
                for _ in range(50):
                    handler({"a": 1}, None)
            except HostTimeoutError:
                caught += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
        gc.enable()
    assert caught == 199


@pytest.mark.slow
def test_threads_may_call_the_handler_at_once(recordings):
    """Nothing is lost, nothing fails."""
    handler = capture(plain)
    errors = []

    def work():
        try:
            for _ in range(25):
                handler({}, None)
        except Exception as error:  # the assertion names it
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    found = recordings()
    assert len(found) == 400
    assert all(r.outcome is not None for r in found)


def test_a_bad_setting_is_said_once_and_the_handler_runs(monkeypatch, capfd):
    """A typing error in the environment is not the handler's trouble."""
    monkeypatch.setenv("REPLAY_SAMPLE", "ten percent")
    handler = capture(plain)
    assert [handler(n, None) for n in (1, 2)] == [{"event": 1}, {"event": 2}]
    assert capfd.readouterr().err.count("REPLAY_SAMPLE") == 1


@pytest.mark.slow
def test_powertools_decorators_work_with_capture_outermost(recordings):
    """Logger, tracer, event handler and event source, as a function would stack them."""
    from aws_lambda_powertools import Logger, Tracer
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
    from aws_lambda_powertools.utilities.data_classes import SQSEvent, event_source

    app = APIGatewayHttpResolver()
    logger = Logger(service="orders", stream=sys.stderr)
    tracer = Tracer(service="orders", disabled=True)

    @app.get("/orders")
    def orders():
        return {"orders": []}

    @capture
    @logger.inject_lambda_context(log_event=True)
    @tracer.capture_lambda_handler
    def http(event, context):
        return app.resolve(event, context)

    @capture
    @event_source(data_class=SQSEvent)
    def batch(event, context):
        return [record.body for record in event.records]

    request = {
        "version": "2.0",
        "rawPath": "/orders",
        "requestContext": {"http": {"method": "GET", "path": "/orders"}, "stage": "$default"},
    }
    assert http(request, real_context())["statusCode"] == 200
    assert batch({"Records": [{"body": "17"}]}, real_context()) == ["17"]
    events = [r.invocation.event for r in recordings()]
    assert [request, {"Records": [{"body": "17"}]}] == events


def test_a_fork_in_the_handler_leaves_parent_and_child_able_to_capture(recordings):
    """Each opens its own connection; neither loses a part."""

    @capture
    def handler(event, context):
        if event == "fork":
            child = os.fork()
            if child == 0:
                handler("child", None)
                os._exit(0)
            os.waitpid(child, 0)

    handler("fork", None)
    handler("after", None)
    found = {r.invocation.event: r for r in recordings()}
    assert set(found) == {"fork", "child", "after"}
    assert found["fork"].invocation.sandbox.id != found["child"].invocation.sandbox.id


def test_an_attempt_that_succeeds_leaves_the_losses_of_others_counted():
    """A step of another thread fails meanwhile; its own failure costs nothing."""
    before = guard.failures()
    guard.attempted(lambda: guard.guarded(json.loads, "{"))
    assert guard.failures() == before + 1
    assert guard.attempted(json.loads, "{") is None
    assert guard.failures() == before + 1
