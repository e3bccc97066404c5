"""The replayed context, held against the runtime client's own.

The real runtime process captures; what it saw of its context is compared with the context rebuilt
from the recording, over generated shapes and over every sample event.
"""

import copy
import json
import pickle
import time
from pathlib import Path

import pytest
from conftest import SHARED_EVENTS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay.invocation import ContextSnapshot
from replay.recorder.snapshot import Entry
from replay.replayer.context import LambdaContext, rebuild

lambda_context = pytest.importorskip("awslambdaric.lambda_context")

SEEING = """
from replay import capture

def seen(value):
    if hasattr(value, "__slots__") and not isinstance(value, (str, dict)):
        return {"type": type(value).__name__,
                "slots": {n: seen(getattr(value, n, "<unset>")) for n in value.__slots__}}
    return value

@capture
def handler(event, context):
    missing = None
    try:
        context.nope
    except AttributeError as error:
        missing = str(error)
    return {
        "type": type(context).__name__,
        "vars": [[name, seen(value)] for name, value in sorted(vars(context).items())
                 if name != "_epoch_deadline_time_in_ms"],
        "order": list(vars(context)),
        "repr": repr(context),
        "w3c": context.w3c(),
        "missing": missing,
        "event": event,
    }
"""
texts = st.none() | st.text(max_size=8)
jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
client_contexts = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "client": st.none()
        | st.dictionaries(
            st.sampled_from(["installation_id", "app_title", "app_version_code", "unknown"]), texts
        ),
        "custom": jsons,
        "env": jsons,
        "Custom": jsons,
        "services": jsons,
        "w3c": jsons | st.dictionaries(st.sampled_from(["traceparent", "baggage", "x"]), texts),
    },
)
identities = st.none() | st.dictionaries(
    st.sampled_from(["cognitoIdentityId", "cognitoIdentityPoolId", "extra"]), texts
)


def described(context):
    """Everything that can be seen of a context, but its deadline."""

    def seen(value):
        if hasattr(value, "__slots__"):
            slots = {name: seen(getattr(value, name)) for name in value.__slots__}
            return (type(value).__name__, list(value.__slots__), slots, repr(value))
        return (type(value).__name__, repr(value))

    variables = {k: seen(v) for k, v in vars(context).items() if not k.startswith("_epoch")}
    return (type(context).__name__, list(vars(context)), variables, repr(context), context.w3c())


def snapshot_of(context) -> ContextSnapshot:
    return ContextSnapshot(**Entry(context, time.time_ns() // 1000).snapshot)


def rebuilt_from(context):
    snapshot = snapshot_of(context)
    return rebuild(snapshot, snapshot.deadline_epoch_ms)


@pytest.mark.slow
@given(client_contexts, identities, texts, st.integers(0, 2**43))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_context_of_the_runtime_is_rebuilt_equal(client, identity, tenant, deadline):
    """Names, order, types, values, `repr`, w3c: the law over generated shapes."""
    client, identity = copy.deepcopy(client), copy.deepcopy(identity)
    real = lambda_context.LambdaContext("r-1", client, identity, deadline, "", tenant)
    ours = rebuilt_from(real)
    assert described(real) == described(ours)
    assert abs(real.get_remaining_time_in_millis() - ours.get_remaining_time_in_millis()) <= 2


def test_a_missing_attribute_is_said_in_the_same_words():
    """The name of the class is part of the message."""
    real = lambda_context.LambdaContext("r", None, None, 0)
    messages = []
    for context in (real, rebuilt_from(real)):
        with pytest.raises(AttributeError) as caught:
            context.nope  # noqa: B018
        messages.append(str(caught.value))
        with pytest.raises(TypeError):
            context["aws_request_id"]
        with pytest.raises(AttributeError):
            context.identity.other = 1
    assert messages[0] == messages[1]


def test_a_rebuilt_context_can_be_copied_and_pickled():
    """As the runtime's own can."""
    ours = rebuilt_from(lambda_context.LambdaContext("r", {"custom": {"a": 1}}, None, 10**13))
    for copied in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert described(ours) == described(copied)


def test_remaining_time_is_never_negative_and_follows_the_wall_clock():
    """An int of milliseconds, floored at 0."""
    past = LambdaContext(snapshot_of(lambda_context.LambdaContext("r", None, None, 0)), 0)
    future = LambdaContext(snapshot_of(past), int(time.time() * 1000) + 5000)
    assert past.get_remaining_time_in_millis() == 0
    assert 4000 < future.get_remaining_time_in_millis() <= 5000


def test_log_writes_without_a_line_end(capsys):
    """`context.log` writes what it is given, as text."""
    rebuilt_from(lambda_context.LambdaContext("r", None, None, 0)).log({"a": 1})
    assert capsys.readouterr().out == "{'a': 1}"


def generated_headers() -> list[dict[str, str]]:
    client = "Lambda-Runtime-Client-Context"
    identity = "Lambda-Runtime-Cognito-Identity"
    return [
        {},
        {client: "{}"},
        {client: "null", identity: "{}"},
        {client: '{"w3c": {"traceparent": "00-1", "other": "x", "baggage": 5}}'},
        {client: '{"client": {}, "custom": [1, null, "\\u00e9"], "env": 1e400}'},
        {client: '{"client": {"app_title": "t", "x": 1}, "Custom": {}, "services": {}}'},
        {identity: '{"cognitoIdentityId": "i", "other": 1}'},
        {"Lambda-Runtime-Aws-Tenant-Id": "tenant"},
        {"Lambda-Runtime-Trace-Id": "", "Lambda-Runtime-Invoked-Function-Arn": ""},
    ]


def own_events() -> list[Path]:
    return sorted((Path(__file__).parents[1] / "fixtures" / "events").glob("*.json"))


def shared_events() -> list[Path]:
    return sorted(p for p in SHARED_EVENTS.rglob("*.json") if not p.name.startswith("_"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "files",
    [
        pytest.param(own_events(), id="own events"),
        pytest.param(
            shared_events(),
            id="shared events",
            marks=pytest.mark.skipif(not SHARED_EVENTS.is_dir(), reason="no shared events here"),
        ),
    ],
)
def test_every_event_and_context_shape_round_trips_through_the_real_runtime(
    project, runtime, stored, files
):
    """One real runtime process captures; the rebuilt context and the event equal what it saw."""
    (project / "app.py").write_text(SEEING)
    assert len(files) > 15
    process = runtime(REPLAY_REDACT="off")
    shapes = generated_headers()
    answers = [
        process.invoke(file.read_bytes(), headers=shapes[number % len(shapes)]).value
        for number, file in enumerate(files)
    ]
    store = stored()
    namespace: dict[str, object] = {}
    exec(SEEING.replace("@capture", ""), namespace)
    recorded = [store.get(id) for id in _ids_in_order(store)]

    assert len(recorded) == len(files)
    for file, recording, answer in zip(files, recorded, answers, strict=True):
        assert recording.invocation.event == json.loads(file.read_bytes()), file
        context = rebuild(recording.invocation.context, 0)
        seen = namespace["handler"](recording.invocation.event, context)
        assert answer == json.loads(json.dumps(seen)), file


def _ids_in_order(store):
    from replay.store.selection import Selection

    return [summary.id for summary in reversed(store.summaries(Selection()))]


def test_older_runtime_clients_lack_attributes_and_so_does_the_rebuilt_context():
    """A context without tenant id, as before 3.1, is rebuilt without it."""
    real = lambda_context.LambdaContext("r", None, None, 0)
    del real.tenant_id
    assert not hasattr(rebuilt_from(real), "tenant_id")
