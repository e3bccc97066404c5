"""The extension beside a function: whatever bucket and platform do, the sandbox goes on."""

import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from extension_api import DEADLINE_S, ExporterProcess, ExtensionApi, Silent
from test_shipping import ADDRESS, CREDENTIALS, filled

from replay.recorder import running
from replay.recorder.export import extension as extension_module
from replay.recorder.export.exporter import MAX_BYTES, Exporter
from replay.recorder.export.shipper import Shipper
from replay.recorder.export.telemetry import Telemetry, done_in

pytest.importorskip("boto3")
PART_BYTES = 10_000
DUE = MAX_BYTES // PART_BYTES + 1
"""So many parts of `PART_BYTES` are more than an object has."""


@contextmanager
def extension(folder, url, **platform):
    """Yield the API of a platform, and an extension that has asked it for the first event."""
    filled_before = (folder / "replay.db").exists()
    with closing(ExtensionApi(**platform)) as api:
        names = {**CREDENTIALS, "AWS_ENDPOINT_URL": url, "REPLAY_EXPORT": ADDRESS}
        process = ExporterProcess(api, folder, names)
        try:
            assert api.waiting.acquire(timeout=20), process.text()
            if not filled_before:
                await_file(folder / "replay.db.shipped")  # it has looked for what is left
            yield api, process
        finally:
            process.end()


def await_file(file):
    deadline_s = time.monotonic() + 15
    while not file.exists():
        assert time.monotonic() < deadline_s, file
        time.sleep(0.02)
    time.sleep(0.1)


@contextmanager
def silent():
    with closing(Silent()) as bucket:
        yield bucket.url


def seconds_until_ready(api, limit_s=20):
    """Return after how long the extension asks for the next event."""
    began = time.monotonic()
    assert api.waiting.acquire(timeout=limit_s)
    return time.monotonic() - began


def test_an_invocation_is_not_held_where_it_is_not_time_to_ship(tmp_path):
    """To be told of its end takes the platform up to 25 ms, which are billed."""
    with silent() as url, extension(tmp_path, url) as (api, _):
        api.invoke("request-1")
        assert seconds_until_ready(api) < 1  # nobody has said that it is done


@pytest.mark.slow
def test_one_is_held_to_its_end_where_it_is_time_to(tmp_path):
    """What it writes is shipped with the rest: the control of the test above."""
    with silent() as url, extension(tmp_path, url) as (api, _):
        filled(tmp_path / "replay.db", DUE, PART_BYTES)
        api.invoke("request-1")
        assert not api.waiting.acquire(timeout=1)


@pytest.mark.long
def test_a_bucket_that_never_answers_holds_no_invocation_up_to_its_deadline(tmp_path):
    """It would be taken for one that timed out; the sandbox ends in its time as well."""
    with silent() as url, extension(tmp_path, url) as (api, process):
        filled(tmp_path / "replay.db", DUE, PART_BYTES)
        api.invoke("request-1")
        api.done("request-1")
        assert seconds_until_ready(api) < DEADLINE_S
        api.invoke("request-2")  # the first attempt is under way yet
        assert seconds_until_ready(api) < 1
        api.shut_down()
        assert process.process.wait(timeout=DEADLINE_S + 1) == 0
        assert "not all of it was shipped" in process.text()


@pytest.mark.slow
def test_a_sandbox_starts_without_waiting_for_the_bucket(tmp_path):
    """Whatever an earlier process has left: Lambda gives all of its start 10 s."""
    filled(tmp_path / "replay.db", 3)
    began = time.monotonic()
    with silent() as url, extension(tmp_path, url):
        assert time.monotonic() - began < 4


@pytest.mark.slow
def test_what_an_earlier_process_left_is_shipped_before_any_invocation(tmp_path):
    """In the background: an attempt is made, though nothing is due."""
    filled(tmp_path / "replay.db", 3)
    with extension(tmp_path, "http://127.0.0.1:1") as (_, process):
        deadline_s = time.monotonic() + 15
        while "EndpointConnectionError" not in process.text():
            assert time.monotonic() < deadline_s, process.text()
            time.sleep(0.05)


@pytest.mark.slow
def test_a_damaged_store_does_not_end_the_extension(tmp_path):
    """One that ends takes the sandbox with it; the recorder sets the store aside."""
    with silent() as url, extension(tmp_path, url) as (api, process):
        (tmp_path / "replay.db").write_bytes(b"rubbish " * 999)
        for request_id in ("request-1", "request-2"):
            api.invoke(request_id)
            assert api.waiting.acquire(timeout=5), process.text()
        api.shut_down()
        assert process.process.wait(timeout=DEADLINE_S + 1) == 0
        assert "DatabaseError" in process.text()


@pytest.mark.long
def test_where_nobody_is_told_of_invocations_the_extension_runs_without(tmp_path):
    """As on Managed Instances, where they run side by side: the ends that it hears of count."""
    with silent() as url, extension(tmp_path, url, refused="INVOKE") as (api, process):
        assert api.registered == [["SHUTDOWN"]]
        filled(tmp_path / "replay.db", DUE, PART_BYTES)
        api.done("request-1")
        time.sleep(1)  # it ships
        api.shut_down()
        assert process.process.wait(timeout=DEADLINE_S + 1) == 0
        assert "not all of it was shipped" in process.text()


@pytest.mark.slow
def test_a_registration_that_is_refused_altogether_is_one_line(tmp_path):
    """Not a traceback: Lambda shows it beside what it says of the sandbox that failed."""
    with closing(ExtensionApi(refused="SHUTDOWN")) as api:
        process = ExporterProcess(api, tmp_path, {"REPLAY_EXPORT": ADDRESS})
        assert process.process.wait(timeout=20) == 1
        (line,) = process.text().splitlines()
        assert "/extension/register: HTTP/1.1 400 " in line
        process.end()


@pytest.mark.slow
def test_an_emulator_that_accepts_a_subscription_and_sends_nothing_holds_nothing(tmp_path):
    """It answers 202: nobody waits for an end that nobody tells of."""
    with extension(tmp_path, "http://127.0.0.1:1", subscribed=202) as (api, _):
        filled(tmp_path / "replay.db", DUE, PART_BYTES)
        api.invoke("request-1")
        assert seconds_until_ready(api) < DEADLINE_S / 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"REPLAY_EXPORT": ""}, ""),
        ({"REPLAY_EXPORT": "bucket/prefix"}, "REPLAY_EXPORT is 'bucket/prefix'"),
        ({"REPLAY_STORE": "stdout:"}, "there is nothing to ship"),
        ({"REPLAY_SAMPLE": "often"}, "REPLAY_SAMPLE (or sample=) is 'often'"),
    ],
)
def test_an_extension_that_has_nothing_to_ship_says_why_and_stays(tmp_path, variables, said):
    """One that ended would end the sandbox: invocations go on, and the end is awaited."""
    with closing(ExtensionApi()) as api:
        process = ExporterProcess(api, tmp_path, {"REPLAY_EXPORT": ADDRESS, **variables})
        assert api.waiting.acquire(timeout=20)
        if variables.get("REPLAY_EXPORT") != "":
            api.invoke("request-1")
            assert api.waiting.acquire(timeout=5)
        api.shut_down()
        assert process.process.wait(timeout=5) == 0
        assert said in process.text()
        assert bool(said) == bool(process.text())
        process.end()


@pytest.mark.slow
def test_an_extension_registers_before_it_loads_anything(project):
    """The runtime is started when all have; what cannot be loaded is said, and ends nothing."""
    source = Path(extension_module.__file__).read_text()
    (project / "extension.py").write_text(source)
    (project / "replay").mkdir()
    (project / "replay/__init__.py").write_text("raise ImportError('another architecture')")
    command = [sys.executable, "-P", str(project / "extension.py")]
    names = {"REPLAY_EXPORT": ADDRESS, "PYTHONPATH": str(project)}
    with closing(ExtensionApi()) as api:
        process = ExporterProcess(api, project, names, command)
        assert api.waiting.acquire(timeout=20), process.text()
        assert api.registered == [["INVOKE", "SHUTDOWN"]]
        api.shut_down()
        assert process.process.wait(timeout=5) == 0
        assert process.text() == "replay: nothing is shipped: another architecture\n"
        process.end()


def test_an_answer_in_chunks_is_put_together():
    """A server of HTTP/1.1 may send any answer like that."""
    chunks = b'4\r\n{"a"\r\n3;x=y\r\n: 1\r\n1\r\n}\r\n0\r\n\r\n'
    assert extension_module._joined(chunks) == b'{"a": 1}'


def heard(*steps):
    """Return a listener that was told of beginnings and ends."""
    telemetry = Telemetry(lambda: None)
    for step, request_id in steps:
        if step == "begun":
            telemetry.begun(request_id)
        else:
            telemetry.take([request_id])
    return telemetry


@pytest.mark.parametrize(
    ("steps", "is_done"),
    [
        ([("begun", "a"), ("done", "a")], True),
        ([("done", "a"), ("begun", "a")], True),
        ([("begun", "a"), ("done", "b")], False),
        ([("begun", "a"), ("done", "a"), ("begun", "a")], False),  # a retry keeps the id
        ([("begun", "a"), ("begun", "a"), ("done", "a")], True),  # the first end was never told
    ],
)
def test_an_invocation_is_done_when_its_own_end_was_told(steps, is_done):
    """Whichever of its beginning and its end is heard of first."""
    assert heard(*steps).wait_for("a", 0.01) is is_done


def test_a_platform_that_is_silent_is_waited_for_once():
    """Else each invocation would be held, and paid for, up to its deadline."""
    telemetry = heard(("begun", "a"))
    assert not telemetry.wait_for("a", 0.01)
    telemetry.begun("b")
    began = time.monotonic()
    assert not telemetry.wait_for("b", 5)
    assert time.monotonic() - began < 1
    telemetry.take(["a"])  # it is heard again
    threading.Timer(0.05, telemetry.take, [["b"]]).start()
    assert telemetry.wait_for("b", 5)


@pytest.mark.parametrize(
    ("batch", "found"),
    [
        (b'[{"type": "platform.runtimeDone", "record": {"requestId": "a"}}, {"type": "x"}]', ["a"]),
        (b'[1, null, {"type": "platform.runtimeDone", "record": 1}]', []),
        (b'[{"type": "platform.runtimeDone", "record": {"requestId": 7}}]', []),
        (b'{"type": "platform.runtimeDone"}', []),
        (b"\xff{", []),
        (b"", []),
    ],
)
def test_what_a_batch_says_is_believed_as_far_as_it_is_understood(batch, found):
    """A failure of the listener's would be printed into the function's log."""
    assert done_in(batch) == found


def test_a_bucket_that_fails_is_left_alone_for_a_while(tmp_path, monkeypatch):
    """Longer each time, up to 8 minutes; one success, and 1 MiB is enough again."""
    now = [1_000.0]
    monkeypatch.setattr("replay.recorder.export.exporter.time", lambda: now[0])
    fails = [True]
    names = []

    def put(name, _body):
        names.append(name)
        if fails[0]:
            raise ConnectionError

    store = tmp_path / "replay.db"
    filled(store, DUE, PART_BYTES)
    exporter = Exporter(str(store), put)
    for pause_s in (30, 60, 120, 240, 480, 480):
        assert exporter.is_due()
        with pytest.raises(ConnectionError):
            exporter.ship()
        now[0] += pause_s - 1
        assert not exporter.is_due()
        now[0] += 1
    assert len(set(names)) == 1  # a second upload of the same parts has the same name
    fails[0] = False
    assert exporter.ship() == DUE
    assert not exporter.is_due()
    now[0] -= 3_600  # the clock is set back
    assert exporter.is_due()


def test_a_thread_that_ships_makes_no_call_of_an_invocation():
    """It may be left behind, and go on while the next one runs."""

    class Invocation:
        calls = token = None

    class Bucket:
        def ship(self):
            seen.append(running.of_this_call())

    invocation, seen = Invocation(), []
    running.begin(invocation)
    try:
        shipper = Shipper(Bucket(), seen.append)
        shipper.begin()
        assert shipper.wait(5)
        control = threading.Thread(target=lambda: seen.append(running.of_this_call()))
        control.start()
        control.join()
    finally:
        running.end(invocation)
    assert seen == [None, invocation]


@pytest.mark.long
def test_a_function_that_ships_in_line_answers_before_its_deadline(runtime, project):
    """Also where the bucket never answers: what is captured waits, the caller does not."""
    (project / "app.py").write_text("def handler(event, context):\n    return event\n")
    with silent() as url:
        function = runtime(
            "replay.recorder.handler.handler",
            REPLAY_HANDLER="app.handler",
            REPLAY_EXPORT=ADDRESS,
            REPLAY_EXPORT_INLINE="0",
            AWS_ENDPOINT_URL=url,
            **CREDENTIALS,
        )
        for n in range(3):
            began = time.monotonic()
            assert function.invoke(n, wait_s=30).value == n
            assert time.monotonic() - began < 3  # the deadline of `runtime`
