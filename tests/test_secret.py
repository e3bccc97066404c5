"""Redacted recordings in a replay: they match, or say which secret they need."""

import contextlib
import hashlib
import hmac
import importlib
import json
import os
import subprocess
import sys

import pytest
from databases import content_of
from http_service import running_service

from replay.replayer.case import Case
from replay.replayer.examine import Forks
from replay.replayer.secret import differs_by_pseudonyms, substituted
from replay.replayer.verdict import judge_by
from replay.store.selection import Selection

HANDLER = """
import hashlib, hmac, os
from replay import capture

@capture
def handler(event, context):
    return globals()[event["do"]](event)

def compare(event):
    return {"ok": event["headers"]["x-api-key"] == os.environ["API_KEY"]}

def verify(event):
    key = os.environ["WEBHOOK_SECRET"].encode()
    wanted = hmac.new(key, event["body"].encode(), hashlib.sha256).hexdigest()
    return {"statusCode": 200 if hmac.compare_digest(wanted, event["proof"]) else 401}

def echo(event):
    return {"token": event["token"], "text": "got " + event["token"], "key": os.environ["API_KEY"]}

def fingerprint(event):
    return {"print": hashlib.sha256(event["token"].encode()).hexdigest()}

def fail(event):
    raise ValueError("cannot use " + event["password"])

def constant(event):
    return {"password": "const-in-code-1", "n": 1}
"""
BODY = '{"a": 1}'
PROOF = hmac.new(b"webhook-77-x", BODY.encode(), hashlib.sha256).hexdigest()
EVENTS = [
    {"do": "compare", "headers": {"x-api-key": "true-api-key-1"}},
    {"do": "verify", "body": BODY, "proof": PROOF},
    {"do": "echo", "token": "tok-abc-123"},
    {"do": "fingerprint", "token": "tok-abc-123"},
    {"do": "fail", "password": "pw-123-xyz"},
    {"do": "constant"},
]
SECRETS = ("true-api-key-1", "webhook-77-x", "tok-abc-123", "pw-123-xyz", "const-in-code-1")


@pytest.fixture
def shop(project, monkeypatch):
    """A project whose handler has been captured, and how to import it."""
    (project / "shop.py").write_text(HANDLER)
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.setenv("REPLAY_STORE", str(project / "replay.db"))
    monkeypatch.setenv("API_KEY", "true-api-key-1")
    monkeypatch.setenv("WEBHOOK_SECRET", "webhook-77-x")
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    module = importlib.import_module("shop")
    for event in EVENTS:
        with contextlib.suppress(ValueError):
            module.handler(event, None)
    yield module
    sys.modules.pop("shop", None)


@pytest.fixture
def run(shop, replay):
    """Run `replay run --json`: its result, and its verdicts."""

    def run(*arguments):
        result = replay("run", "--json", *arguments)
        return result, json.loads(result.stdout or "[]")

    return run


def test_no_secret_is_in_the_raw_bytes_of_any_file(shop, project):
    """Database, WAL, key, and whatever else lies there."""
    found = [
        (path.name, secret)
        for path in project.iterdir()
        if path.is_file() and path.suffix != ".py"
        for secret in SECRETS
        if secret.encode() in content_of(path)
    ]
    assert found == []


def test_without_redaction_they_would_be(shop, project, monkeypatch):
    """The control: what is looked for above can be there."""
    monkeypatch.setenv("REPLAY_REDACT", "off")
    monkeypatch.setenv("REPLAY_STORE", str(project / "open.db"))
    shop.handler(EVENTS[2], None)
    assert any(b"tok-abc-123" in content_of(path) for path in project.glob("open.db*"))


@pytest.mark.slow
def test_a_redacted_recording_matches_or_says_what_it_needs(run):
    """Compared, handed on, raised: match. Signed with, hashed: needs the secret, by name."""
    result, verdicts = run()
    assert result.returncode == 2
    told = [
        (it["verdict"], (it.get("error") or {"message": ""})["message"][:27]) for it in verdicts
    ]
    assert sorted(told) == [
        ("error", "needs secret WEBHOOK_SECRET"),
        ("error", "needs secret token: what di"),
        *[("match", "")] * 4,
    ]


SENDER = """
import hashlib, os, urllib.request

def handler(event, context):
    body = hashlib.sha256(event["token"].encode()).hexdigest() + event.get("more", "")
    url, text = f"http://{os.environ['SERVICE']}/json", {"Content-Type": "text/plain"}
    with urllib.request.urlopen(urllib.request.Request(url, body.encode(), text)):
        return "sent"
"""


@pytest.mark.slow
def test_what_is_sent_and_made_of_a_secret_costs_one_replay_more(project, replay, stored):
    """It moves with the pseudonym, which tells all; what was changed beside it is told as ever."""
    (project / "app.py").write_text(SENDER)
    with running_service() as service:
        made = replay(
            "invoke", "--capture", "app.handler", '{"token": "tok-abc-123"}', SERVICE=service.netloc
        )
        assert made.returncode == 0, made.stderr
    ((recording,),) = [list(stored().find(Selection()))]
    case = Case(recording, "app.handler", (project,))
    forks, asked = Forks(), []

    def replay_in(case, others):
        asked.extend(others)
        return forks.replay_in(case, others)

    with contextlib.closing(forks):
        verdict = judge_by(case, replay_in)
        assert (verdict.kind, len(asked)) == ("match", 2)
        assert [(it.rule, it.path) for it in verdict.noise] == [("redacted", "$.body")]
        changed = case.with_event({"token": "tok-xyz-999", "more": "!"}, ())
        assert judge_by(changed, replay_in).kind == "drift"


@pytest.mark.slow
def test_the_true_value_is_given_for_one_replay_and_never_shown(run, project, monkeypatch):
    """By name, from the command line or a variable; the report has the pseudonym."""
    monkeypatch.setenv("TOKEN_HERE", "tok-abc-123")
    options = ["--secret", "WEBHOOK_SECRET=webhook-77-x", "--secret", "token=env:TOKEN_HERE"]
    html = project / "report.html"
    result, verdicts = run(*options, "--html", str(html))
    assert {"match"} == {it["verdict"] for it in verdicts}
    assert result.returncode == 0
    shown = result.stdout + html.read_text()
    assert [secret for secret in SECRETS if secret in shown and secret != SECRETS[-1]] == []


@pytest.mark.long
def test_a_wrong_secret_is_drift_that_is_not_shown_either(run):
    """It was given, so nothing is needed; what it led to differs."""
    result, verdicts = run("--secret", "WEBHOOK_SECRET=another-key-5", "--secret", "token=zzz")
    kinds = sorted(it["verdict"] for it in verdicts)
    assert kinds == ["drift", "drift", *["match"] * 4]
    assert "another-key-5" not in result.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("NOPE=1", "nothing of that name was redacted"),
        pytest.param("NOPE", "has no value", marks=pytest.mark.long),
        pytest.param("API_KEY=env:UNSET_HERE", "UNSET_HERE is not set", marks=pytest.mark.long),
    ],
)
def test_a_secret_that_cannot_be_given_is_an_error(run, option, told):
    """What, which one, and what there is."""
    result, _ = run("--secret", option)
    assert result.returncode == 2
    assert told in result.stderr


SPECIAL = 'p"w\\1-\u00e9'


@pytest.mark.parametrize(
    "text",
    [
        '{"password": "PSEUDONYM"}',
        '{"body": "{\\"password\\": \\"Bearer PSEUDONYM\\"}", "n": 1.50}',
        "password=PSEUDONYM",
        b'{"t":"PSEUDONYM"}',
    ],
)
def test_json_stays_json_whatever_a_secret_holds(text):
    """And nothing of it is left where it is taken out again, however it is written."""
    given = substituted(text, {"PSEUDONYM": SPECIAL})
    assert text == substituted(given, {SPECIAL: "PSEUDONYM"})
    if isinstance(text, str):
        assert f"log: {text}" == substituted(f"log: {given}", {SPECIAL: "PSEUDONYM"})
    with contextlib.suppress(json.JSONDecodeError):
        json.loads(text)
        json.loads(given)


def test_a_short_secret_that_was_recorded_in_clear_is_known_by_its_pseudonym():
    """`SecretId=os.environ["PAY_SECRET"]`; a longer one would have been found where it was sent."""
    assert differs_by_pseudonyms("pay", "lsh", {"lsh": "PAY_SECRET"})
    assert not differs_by_pseudonyms("paid", "lsh", {"lsh": "PAY_SECRET"})
    assert not differs_by_pseudonyms("pay", "abc", {"lsh": "PAY_SECRET"})
    assert not differs_by_pseudonyms("orders", "wkdlfh", {"wkdlfh": "PAY_SECRET"})


def test_what_an_answer_handed_out_is_withheld_in_a_replay():
    """As the credentials of STS are, which a function may pass on; what stands around it counts."""
    pseudonyms = {"FQoGZXlqTbVn": "SessionToken"}
    assert differs_by_pseudonyms("t=FQoGZXlqTbVn;", "t=replay-withheld;", pseudonyms)
    assert not differs_by_pseudonyms("t=FQoGZXlqTbVn;", "u=replay-withheld;", pseudonyms)
    assert not differs_by_pseudonyms("orders", "replay-withheld", pseudonyms)
    two = {**pseudonyms, "play": "Mode"}  # which stands in what is withheld as well
    assert differs_by_pseudonyms("FQoGZXlqTbVn play", "replay-withheld hide", two)
    assert not differs_by_pseudonyms("FQoGZXlqTbVn play", "rehide-withheld hide", two)


def test_a_short_pseudonym_is_replaced_where_it_stands_alone():
    """It stands in other texts by chance."""
    event = {"cvv": "481", "order": "A-14812", "at": "1748100000"}
    assert {**event, "cvv": "9"} == substituted(event, {"481": "9"})


WARMED = """
import os
from replay import capture
KEY = None

@capture
def handler(event, context):
    global KEY
    KEY = KEY or event.get("token")
    return {"ok": KEY == "tok-abc-" + "123"}
"""


@pytest.mark.long
def test_the_true_value_is_given_to_what_warms_a_case_as_well(project, replay):
    """A secret that an earlier invocation was given, and kept; it is in no report."""
    (project / "app.py").write_text(WARMED)
    capture_in_process(project, [{"token": "tok-abc-123"}, {}])
    done = replay("run", "@latest", "--warm", "--json", "--secret", "token=tok-abc-123")
    assert done.returncode == 0, done.stdout + done.stderr
    assert replay("run", "@latest", "--warm").returncode != 0


def capture_in_process(project, events):
    """Capture invocations of one sandbox."""
    program = f"import app\nfor event in {events!r}:\n    app.handler(event, None)"
    environment = {**os.environ, "REPLAY_STORE": "replay.db", "PYTHONPATH": "."}
    subprocess.run([sys.executable, "-c", program], cwd=project, env=environment, check=True)


@pytest.mark.slow
def test_a_short_value_under_a_secret_name_is_known_to_be_one(project, replay, stored):
    """It stands in clear where it was sent: too short to be looked for everywhere."""
    (project / "app.py").write_text(SENDER.replace('event["token"]', 'os.environ["PAY_SECRET"]'))
    with running_service() as service:
        made = replay(
            "invoke", "--capture", "app.handler", "{}", SERVICE=service.netloc, PAY_SECRET="pay"
        )
        assert made.returncode == 0, made.stderr
    done = replay("run", "@latest", "--json")
    (verdict,) = json.loads(done.stdout)
    assert verdict["verdict"] == "match"
