"""Planted secrets in every place of many kinds of invocation: what is caught, and what is kept.

The sets were written by people who had not seen the rules. When each was first run, with the rules
of its day, 88, 91 and 92 % were caught and 1 to 2 % of the benign values changed; what was missed
has made the rules wider since. Each invocation is captured by the decorator, calls and all.
"""

import builtins
import contextlib
import importlib
import os
import re
import sqlite3
import sys
from pathlib import Path
from unittest import mock

import orjson
import planted
import planted.check
import pytest
import second
import second.check
import third
import third.check
from conftest import SHARED_EVENTS
from databases import content_of
from planted_calls import make_calls

from replay import capture
from replay.codec import decode, encode
from replay.recorder.recorder import watch_libraries
from replay.redaction import redactor
from replay.redaction.look import Look, Seen
from replay.redaction.pseudonym import Pseudonyms
from replay.redaction.redactor import Redactor, Rules
from replay.redaction.stand_in import StandIns
from replay.redaction.walk import Walk

SETS = {"planted": planted, "second": second, "third": third}
LEAST_CAUGHT = 0.95
MOST_CHANGED = 0.05
_SHORT = 8


class Context:
    """A context with what a mobile client sends."""

    aws_request_id = "r-1"
    function_name = "planted"

    def __init__(self, client_context):
        self.client_context = client_context


def handler_of(one, folder):
    """Return a handler that does what was planted; its source line is in the traceback."""
    raised = one.raised or {"type": "RuntimeError", "message": "", "locals_line": "pass"}
    source = (
        "def fail(kind, message):\n    raise kind(message)\n"
        "def handler(event, context):\n    make_calls(one)\n"
        f"    if one.raised: fail(kind, message); {raised['locals_line']}\n"
        "    return one.returned\n"
    )
    path = folder / f"{one.name}.py"
    path.write_text(source)
    names = {
        "make_calls": make_calls,
        "one": one,
        "kind": getattr(builtins, raised["type"], RuntimeError),
        "message": raised["message"],
        "__name__": "app",
    }
    exec(compile(source, str(path), "exec"), names)
    return names["handler"]


def captured(one, folder, mode):
    """Return the payloads that capturing an invocation leaves."""
    store = folder / f"{one.name}.db"
    variables = {**one.environment, "REPLAY_STORE": str(store), "REPLAY_REDACT": mode}
    watch_libraries()  # it makes its calls with none of them
    with mock.patch.dict(os.environ, variables), contextlib.suppress(Exception):
        capture(handler_of(one, folder))(one.event, Context(one.client_context))
    with contextlib.closing(sqlite3.connect(store)) as connection:
        payloads = [row[0] for row in connection.execute("SELECT payload FROM part ORDER BY n")]
    assert len(payloads) == 2 + 2 * (len(one.requests) + len(one.aws))
    return payloads


def texts(payloads, check):
    """Return every text in some payloads, decoded as deeply as it goes."""
    documents = [decode(payload) for payload in payloads]
    for document in documents:
        document.pop("pseudonyms", None)
        document.pop("redaction", None)
    return list(check.texts(documents))


def occurs(value, found):
    if len(value) > _SHORT:
        return any(value in text for text in found)
    alone = re.compile(rf"(?<![0-9A-Za-z]){re.escape(value)}(?![0-9A-Za-z])")
    return any(alone.search(text) for text in found)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Return for a set and a mode the missed secrets and the changed benign values; and counts."""
    known = {}

    def judge(name, mode):
        if (name, mode) not in known:
            folder = tmp_path_factory.mktemp(f"{name}-{mode}")
            missed, changed, secrets, benign = [], [], 0, 0
            for one in SETS[name].invocations():
                found = texts(captured(one, folder, mode), SETS[name].check)
                missed += [it for it in one.secrets if occurs(it.value, found)]
                changed += [it for it in one.benign if not occurs(it.value, found)]
                secrets, benign = secrets + len(one.secrets), benign + len(one.benign)
            known[name, mode] = missed, changed, secrets, benign
        return known[name, mode]

    return judge


@pytest.mark.parametrize("name", SETS)
def test_the_set_is_what_it_claims_to_be(name):
    """Every secret and every benign value is in its invocation, and none is in another's."""
    assert SETS[name].check.problems() == []
    every = SETS[name].invocations()
    assert sum(len(one.secrets) for one in every) >= 150
    assert sum(len(one.benign) for one in every) >= 150
    assert len({one.source for one in every}) >= 14


@pytest.mark.parametrize("name", SETS)
def test_balanced_catches_nearly_all_and_keeps_nearly_all(judged, name):
    """At least 95 % of the secrets, at most 5 % of the benign values."""
    missed, changed, secrets, benign = judged(name, "balanced")
    assert len(missed) <= (1 - LEAST_CAUGHT) * secrets, missed
    assert len(changed) <= MOST_CHANGED * benign, changed


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_strict_leaves_none(judged, name):
    """Whatever is not known to be harmless is replaced."""
    missed, *_ = judged(name, "strict")
    assert missed == []


def pieces(value, name="it"):
    """Yield a value and whatever lies in it, each below its own name."""
    yield {name: value}
    if isinstance(value, dict):
        for key, item in value.items():
            yield from pieces(item, key)
    for item in value if isinstance(value, list) else ():
        yield from pieces(item, name)


def documents():
    """Return everything that was planted, and all events of others, piece by piece."""
    every = [one for it in SETS.values() for one in it.invocations()]
    planted = [it for one in every for it in (one.event, one.environment, one.returned)]
    folders = [Path(__file__).parents[1] / "fixtures" / "events", SHARED_EVENTS]
    events = [orjson.loads(it.read_bytes()) for one in folders for it in one.rglob("*.json")]
    return [encode(piece) for it in (*planted, *events) for piece in pieces(it)]


class Suspicious(Look):
    """Sees a secret in every text, so that a walk reads them all."""

    def text_may_hold(self, text):
        return True


@pytest.mark.slow
def test_what_a_look_finds_clean_a_walk_leaves_alone(monkeypatch):
    """A look spares the walk, and may be wrong only by seeing too much."""
    monkeypatch.setattr(redactor, "_answered_known", {})  # by tests before, in this process
    monkeypatch.setattr(redactor, "_answered_whole", {})
    clean = seen = 0
    for document in documents():
        rules = Rules(Pseudonyms(lambda: b"k" * 32))
        found = orjson.loads(document)
        if rules.look.may_hold_secrets(found, document):
            seen += 1
            continue
        clean += 1
        walk = Walk(StandIns(rules.pseudonyms, {}, {}), rules.secrecies, Seen())
        walk._look = Suspicious(rules.secrecies)
        assert orjson.dumps(walk.value(found)) == document
    assert clean > 2 * seen > 2000  # without the events of others, too


@pytest.mark.slow
def test_what_was_seen_before_changes_nothing():
    """Names and texts are remembered from one recording to the next."""
    before = Rules(Pseudonyms(lambda: b"k" * 32))
    for document in documents():
        anew = Redactor(Rules(before.pseudonyms)).encoded(document)
        assert Redactor(before).encoded(document) == anew
    assert before.look.seen.clean


HANDLER = """
from types import SimpleNamespace

from replay import capture
from planted_calls import make_calls
from replay.recorder.outbound import outlet

@capture
def handler(event, context):
    if outlet.is_used():  # where it is captured
        make_calls(SimpleNamespace(**event["calls"]))
    if event["raised"]:
        raise RuntimeError(event["raised"]["message"])
    return event["returned"]
"""


def whole_event(one):
    """Everything that was planted in one event: what a handler makes of it is of pseudonyms."""
    requests = [
        {**it, "body": as_text(it["body"]), "answer": answer_as_text(it["answer"])}
        for it in one.requests
    ]
    return {
        "planted": one.event,
        "calls": {"requests": requests, "aws": one.aws},
        "raised": one.raised,
        "returned": one.returned,
    }


def as_text(body):
    return body.decode(errors="replace") if isinstance(body, bytes) else body


def answer_as_text(answer):
    return {**answer, "body": as_text(answer["body"])}


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, pytest.param(30, marks=pytest.mark.long)])
def test_no_file_and_no_output_holds_a_secret(project, replay, monkeypatch, count):
    """Store, spool, export, case files and tests, HTML, terminal: their raw bytes, in `strict`."""
    (project / "shop.py").write_text(HANDLER)
    here = str(Path(__file__).parent)
    (project / "pyproject.toml").write_text(f"[tool.replay]\npath = [{here!r}]\n")
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.setenv("REPLAY_STORE", str(project / "replay.db"))
    monkeypatch.setenv("REPLAY_REDACT", "strict")
    sys.modules.pop("shop", None)
    handler = importlib.import_module("shop").handler
    watch_libraries()
    invocations = planted.invocations()[:count]
    try:
        for one in invocations:
            variables = {**one.environment, "REPLAY_STORE": str(project / "replay.db")}
            with mock.patch.dict(os.environ, variables), contextlib.suppress(RuntimeError):
                handler(whole_event(one), Context(one.client_context))
    finally:
        sys.modules.pop("shop", None)
    outputs = [
        replay("list", "--json"),
        replay("list"),
        replay("show", "@latest"),
        replay("show", "@2", "--json"),
        replay("run", "--once", "--html", "report.html", "--junit", "report.xml"),
        replay("export", "--output", "all.jsonl"),
        replay("generate", "--yes", "--expect", "replayed"),
    ]
    raw = b"".join(content_of(path) for path in project.rglob("*") if path.is_file())
    raw += "".join(it.stdout + it.stderr for it in outputs).encode()
    assert len(list(project.rglob("*.json"))) >= count, outputs[-1]
    secrets = [it.value for one in invocations for it in one.secrets if len(it.value) > _SHORT]
    assert [it for it in secrets if it.encode() in raw] == []


@pytest.mark.slow
def test_without_redaction_most_are_there(judged):
    """The control: what is looked for above can be found."""
    missed, changed, secrets, benign = judged("planted", "off")
    assert len(missed) > 0.8 * secrets
    assert len(changed) < 0.05 * benign
