"""The commands as a user meets them: exit codes, streams, JSON, and every kind of bad input."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from databases import capture_parts, flip_payload, query
from test_recording import ID, invocation
from test_store import recording

from replay.outcome import Raised, Returned
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.replayer.builtin import BuiltinSandbox
from replay.report.pieces import escaped

APP = "def handler(event, context):\n    return {'total': 700, 'event': event}\n"


@pytest.fixture
def shop(project) -> Path:
    """A project with a handler and three recordings of it: a match, a drift and an error."""
    (project / "app.py").write_text(APP)
    matching = Returned(b'{"total": 700, "event": {"n": 1}}')
    drifting = Returned(b'{"total": 701, "event": {"n": 2}}')
    capture_parts(
        project / "replay.db",
        Recording("01m81fw1gk0008m74ctc000001", invocation({"n": 1}), matching, 10),
        Recording("01m81fw1gk0008m74ctc000002", invocation({"n": 2}), drifting, 10),
    )
    return project


def one_line_error(done: "subprocess.CompletedProcess[str]") -> str:
    """The error of a command that was asked for wrongly: exit 2, said on stderr, no traceback."""
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines) <= 2
    return done.stderr


def test_exit_codes_are_0_match_1_drift_2_error_and_error_outranks_drift(shop, replay):
    """The worst of all cases decides."""
    assert replay("run", "000001").returncode == 0
    assert replay("run", "000002", "--once").returncode == 1
    assert replay("run", "000001", "000002", "--once").returncode == 1
    both = replay("run", "000001", "000002", "--handler", "nothing.handler")
    assert both.returncode == 2


@pytest.mark.slow
def test_run_prints_each_verdict_with_path_and_both_values(shop, replay):
    """What differs stands there to be read."""
    done = replay("run", "--function", "app.handler", "--once")
    assert "match" in done.stdout
    assert "drift" in done.stdout
    for word in ("$.total", "recorded  701", "replayed  700", "1 match  1 drift  0 error"):
        assert word in done.stdout


def test_run_json_is_an_array_with_the_documented_keys(shop, replay):
    """One object a case, and nothing else on stdout."""
    (document,) = json.loads(replay("run", "000002", "--json", "--once").stdout)
    assert set(document) >= {
        *("id", "function_name", "verdict", "outcome", "recorded_outcome", "differences"),
        *("noise", "interactions", "duration_us", "remaining_ms"),
    }
    assert document["differences"] == [{"path": "$.total", "recorded": 701, "replayed": 700}]
    assert document["outcome"]["kind"] == "returned"
    assert document["outcome"]["value"] == {"total": 700, "event": {"n": 2}}
    assert set(document["interactions"]) == {
        *("matched", "changed", "unused", "extra", "reordered"),
    }


def test_show_json_has_the_documented_keys_and_attribute_names(shop, replay):
    """The context under the names of AWS's documentation."""
    document = json.loads(replay("show", "000001", "--json").stdout)
    assert set(document) >= {
        *("id", "format", "function_name", "captured_at", "deadline_epoch_ms", "remaining_ms"),
        *("context", "event", "environment", "outcome", "interactions"),
    }
    assert document["context"]["aws_request_id"] == "r-1"
    assert document["event"] == {"n": 1}


def test_list_shows_outcome_duration_remaining_time_and_age(shop, replay):
    """At a glance; as JSON an array."""
    text = replay("list").stdout
    assert "returned" in text
    assert "3,000 ms" in text
    documents = json.loads(replay("list", "--json").stdout)
    assert [d["id"][-1] for d in documents] == ["2", "1"]
    page = json.loads(replay("list", "--json", "--limit", "1", "--before", "000002").stdout)
    assert [d["id"][-1] for d in page] == ["1"]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["show", "run"])
@pytest.mark.parametrize("id", ["zzzzzz", "abc", "@9", "0000"])
def test_an_unknown_id_is_one_clear_line(shop, replay, command, id):
    """It is named."""
    assert id in one_line_error(replay(command, id))


def test_a_tail_that_several_recordings_share_lists_them(shop, replay):
    """Ids that end alike."""
    capture_parts(shop / "replay.db", recording("01m81fw1gk0008m74ctcxx0001"))
    text = one_line_error(replay("show", "0001"))
    assert "2 recordings" in text
    assert "01m81fw1gk0008m74ctc000001" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--function", "nobody"], "--allow-empty"),
        (["run", "000001", "--function", "app.handler"], "ids and filters"),
        (["run", "--where", "$.n"], "--where"),
        (["run", "--where", "n=1"], "--where"),
        (["list", "--since", "yesterday"], "--since"),
        (["list", "--outcome", "fine"], "unfinished"),
        (["run", "000001", "--handler", "app"], "MalformedHandlerName"),
        (["list", "--store", "mysql://x/y"], "not a file"),
    ],
)
def test_misuse_is_one_clear_line_with_the_remedy(shop, replay, arguments, words):
    """Exit 2, nothing on stdout."""
    done = replay(*arguments)
    assert done.returncode == 2
    assert words in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_an_empty_selection_is_no_error_where_that_is_said(shop, replay):
    """For scheduled runs."""
    assert replay("run", "--function", "nobody", "--allow-empty").returncode == 0


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda path: path.unlink(), "no store"),
        (lambda path: path.write_bytes(b"no database" * 1000), "no database"),
        (lambda path: (path.unlink(), path.mkdir()), "directory"),
        (lambda path: query(path, "DROP TABLE part"), "no store"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_clear_line(shop, replay, harm, words):
    """Whatever is wrong with it, and the way to name another."""
    query(shop / "replay.db", "CREATE TABLE other (n)")
    harm(shop / "replay.db")
    text = one_line_error(replay("list"))
    assert words in text
    assert "--store" in text


@pytest.mark.slow
def test_a_damaged_recording_is_named_and_the_others_are_listed_and_run(shop, replay):
    """Exit 2, because something could not be read, though the intake saw it whole."""
    assert replay("list").returncode == 0
    flip_payload(shop / "replay.db", "01m81fw1gk0008m74ctc000002")
    listed = replay("list")
    assert listed.returncode == 2
    assert "000001" in listed.stdout
    assert "01m81fw1gk0008m74ctc000002" in listed.stderr
    ran = replay("run", "--limit", "9")
    assert ran.returncode == 2
    assert "match" in ran.stdout
    assert "01m81fw1gk0008m74ctc000002" in ran.stderr
    assert one_line_error(replay("show", "000002"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.replay\n", "pyproject.toml"),
        ("[tool.replay]\nstoer = 'x'\n", "stoer"),
        ("[tool.replay]\npath = 'src'\n", "list of strings"),
        ("[tool.replay]\ntimeout = 'soon'\n", "seconds"),
        ("[tool]\nreplay = 1\n", "not a table"),
    ],
)
def test_unreadable_settings_are_one_clear_line(shop, replay, text, words):
    """And which file, and which key."""
    (shop / "pyproject.toml").write_text(text)
    assert words in one_line_error(replay("list"))


@pytest.mark.slow
def test_folders_of_handlers_come_from_the_option_the_settings_and_here(shop, replay):
    """In that order."""
    source = shop / "src"
    source.mkdir()
    (shop / "app.py").rename(source / "app.py")
    assert replay("run", "000001").returncode == 2
    assert replay("run", "000001", "--path", "src").returncode == 0
    (shop / "pyproject.toml").write_text("[tool.replay]\npath = ['src']\n")
    assert replay("run", "000001").returncode == 0


@pytest.mark.slow
def test_another_handler_can_be_named(shop, replay):
    """By option or setting."""
    (shop / "app.py").rename(shop / "moved.py")
    assert replay("run", "000001", "--handler", "moved.handler").returncode == 0
    (shop / "pyproject.toml").write_text("[tool.replay]\nhandler = 'moved.handler'\n")
    assert replay("run", "000001").returncode == 0


def test_the_store_is_named_by_option_then_variable_then_settings(shop, replay):
    """The nearer one wins."""
    (shop / "pyproject.toml").write_text("[tool.replay]\nstore = 'absent.db'\n")
    assert "absent.db" in replay("list").stderr
    assert "other.db" in replay("list", REPLAY_STORE="other.db").stderr
    assert replay("list", "--store", "sqlite:///replay.db", REPLAY_STORE="other.db").returncode == 0


def test_what_was_in_the_spool_is_said(shop, replay):
    """On stderr, once."""
    from replay.recorder import spool

    part = recording().parts()[0]
    spool.append(str(shop / "replay.db"), part.id, part.kind, part.payload)
    assert "took 1 parts from the spool" in replay("list").stderr
    assert replay("list").stderr == ""


def test_a_bug_of_ours_ends_with_3_and_a_report_to_paste(shop, replay, monkeypatch):
    """Never with a bare traceback."""
    monkeypatch.setattr(BuiltinSandbox, "replay", None)
    done = replay("run", "000001")
    assert done.returncode == 3
    assert "this is a bug in replay" in done.stderr


def test_a_report_of_a_bug_has_no_value_that_was_given(shop, replay, monkeypatch):
    """Secrets and addresses with passwords are among them."""
    monkeypatch.setattr(BuiltinSandbox, "replay", None)
    given = ("run", "000001", "--secret", "api_key=hunter2-xy", "--timeout=7")
    monkeypatch.setattr(sys, "argv", ["replay", *given])
    done = replay(*given)
    assert done.returncode == 3
    assert "command: run --secret --timeout\n" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Python" in done.stderr


@pytest.mark.slow
def test_interrupting_ends_with_130_and_leaves_no_process(shop):
    """Ctrl-C in the middle of a replay."""
    pid_file = shop.parent / "pid"
    pid_file.touch()  # what a replay makes itself is taken away
    (shop / "app.py").write_text(
        "import os, time\ndef handler(event, context):\n"
        f"    open({str(pid_file)!r}, 'w').write(os.readlink('/proc/self'))\n"
        "    while True: pass\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "replay", "run", "000001"],
        cwd=shop,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not pid_file.read_text():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "interrupted" in said
    pid = int(pid_file.read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.long
def test_interrupting_the_second_look_ends_at_once(shop):
    """Its replays run side by side; none is waited for."""
    mark = shop.parent / "mark"
    mark.touch()  # as above
    (shop / "app.py").write_text(
        "import os, random, time\ndef handler(event, context):\n"
        f"    while os.path.getsize({str(mark)!r}): pass\n"
        f"    open({str(mark)!r}, 'w').write('x')\n"
        "    return {'total': random.random()}\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "replay", "run", "000001"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not mark.stat().st_size:
        time.sleep(0.01)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130


@pytest.mark.slow
def test_any_event_can_be_shown_as_json(project, replay):
    """Lone surrogates, integers of any length, nesting beyond Python's stack."""
    deep: object = 1
    for _ in range(900):
        deep = [deep]
    event = {"s": "\ud800", "n": 10**5000, "deep": deep, "inf": float("inf"), "b": b"\xff"}
    outcome = Returned(b'{"s": "\\ud800", "n": NaN}')
    capture_parts(project / "replay.db", Recording(ID, invocation(event), outcome, 1))
    for arguments in (["show", "@1", "--json"], ["show", "@1"], ["list", "--json"]):
        done = replay(*arguments)
        assert done.returncode == 0, done.stderr[-500:]


@pytest.mark.slow
def test_captured_text_cannot_command_the_terminal(project, replay):
    """Escape sequences, C1 and bidirectional controls are shown, not sent."""
    hostile = "\x1b]52;c;aGk=\x07 \x9b2J \u202e \x00 [bold]x[/bold]"
    capture_parts(
        project / "replay.db",
        Recording(ID, invocation({hostile: hostile}), Raised(hostile, hostile), 1),
    )
    body = f"    print({hostile!r})\n    return {hostile!r}\n"
    (project / "app.py").write_text(f"def handler(event, context):\n{body}")
    for arguments in (["list"], ["show", "@1"], ["run", "@1", "-s"]):
        text = replay(*arguments).stdout
        assert not set(text) & set("\x1b\x07\x9b\u202e\x00")
        assert "\\x1b]52" in text
        assert "[bold]" in text


def test_escaping_keeps_ordinary_text():
    """Letters of every script pass, and lines where they are wanted."""
    assert escaped("Grüße, 世界 \N{SNOWMAN}") == "Grüße, 世界 \N{SNOWMAN}"
    assert escaped("a\nb\t", keep_lines=True) == "a\nb\t"
    assert escaped("a\nb") == "a\\x0ab"


@pytest.mark.long
def test_the_demo_goes_the_whole_way(project):
    """Captured in one sandbox, listed, replayed to match, in a temporary folder."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "replay", "demo"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began < 20
    assert "4 match  0 drift  0 error" in done.stdout
    assert "unfinished" in done.stdout


def test_version_and_help_are_answered(replay):
    """Every command explains itself."""
    assert replay("--version").stdout == "replay 0.1.0\n"
    for arguments in ([], ["list"], ["show"], ["run"], ["demo"]):
        assert replay(*arguments, "--help").returncode == 0


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_failure(shop):
    """`replay list | head -1`."""
    for _ in range(40):
        capture_parts(shop / "replay.db", recording(new_ulid()))
    command = f"{sys.executable} -m replay show @1 --json | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout == "{\n"
    assert done.stderr == ""
