"""What reaches a terminal: nothing that was captured, or that a file is called, commands it.

Every command runs on a real terminal over a store of hostile recordings; of what comes out, all
that is no text must be styling of our own.
"""

import dataclasses
import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from calls import with_calls, write
from databases import query
from test_case_file import file_of, written
from test_recording import invocation

from replay.codec import decode, encode
from replay.interaction import AwsCall, Failure, HttpCall, Interaction, Response
from replay.outcome import ErrorLink, Raised, Returned
from replay.recorder.ulid import new_ulid
from replay.recording import Part, Recording
from replay.report.pieces import escaped

ATTACK = (
    "\x1b]52;c;aGk=\x07\x1b[2J\x1b]0;t\x1b\\\x9b31m\x9d\x90\u202e\u2066\u200b\ufeff\U000e0041\x00"
    "\x08\r\x7f\u2028[bold red]x[/] [link=file:///etc]y[/link]"
)
"""Clipboard, screen, title, C1, direction, no width, NUL, and markup that is to be shown."""
LISTED = ATTACK.replace("\0", "\\x00")
"""As a column holds it."""
_WORDS = {"handler", "at_import", "kind", "mode", "stage", "outbound", "format", "id"}
STYLE = re.compile("\x1b\\[[0-9;]*m|\x1b\\[\\?25[hl]|\r?\x1b\\[[0-9]?[AK]")
"""Colours, and what a progress bar does: hides the cursor, goes up, clears its line."""
APP = (
    f"def handler(event, context):\n    print({ATTACK!r})\n    return {{{ATTACK!r}: {ATTACK!r}}}\n"
)


def hostile(value: object, key: str = "") -> object:
    """A value with the attack in every text and every key of it."""
    if isinstance(value, dict):
        is_free = key in ("event", "extra", "parameters", "keywords", "environment", "w3c")
        items = {f"{name}{ATTACK}" if is_free else name: it for name, it in value.items()}
        return {name: hostile(it, name) for name, it in items.items()}
    if isinstance(value, list):
        return [hostile(item, key) for item in value]
    is_word = key in _WORDS or value == "application/json"
    return f"{value}{ATTACK}" if isinstance(value, str) and not is_word else value


def attacking(made: Recording, **begun: object) -> list[Part]:
    """The parts of a recording whose every text is an attack."""
    id = new_ulid()
    parts = []
    for part in made.parts():
        document = hostile(decode(part.payload))
        document |= begun if part.kind == "begun" else {}
        if part.kind == "ended" and document["outcome"]["kind"] == "returned":
            document["outcome"]["payload"] = json.dumps({ATTACK: [ATTACK]})
        parts.append(Part(id, part.kind, encode(document)))
    return parts


@pytest.fixture
def shop(project) -> Path:
    """A project, and a store of recordings in which everything attacks."""
    (project / "app.py").write_text(APP)
    event = {"Records": [{"eventSource": "aws:sqs", "n": [1]}]}
    link = ErrorLink("cause", "T", "m", "n", ("s",))
    raised = Raised("KeyError", "'x'", ("  File",), "builtins", ("x",), (link,))
    invoked = invocation(event)
    context = dataclasses.replace(invoked.context, attributes={"function_name": "f"})
    base = Recording(new_ulid(), dataclasses.replace(invoked, context=context), Returned(b"1"), 10)
    of_http = (("Content-Type", "text/plain"),)
    calls = (
        Interaction(1, AwsCall("s3", "GetObject", "eu", {"Key": "k"}, True), 9),
        Interaction(
            2, HttpCall("GET", "https://h/p", of_http, b"b"), 20, Response(200, "OK", of_http, b"b")
        ),
        Interaction(
            3, HttpCall("PUT", "https://h/q"), 30, Failure("E", "m", "w", ("a",), {"k": "v"})
        ),
    )
    write(
        project / "replay.db",
        [
            *attacking(base),
            *attacking(dataclasses.replace(base, outcome=raised)),
            *attacking(dataclasses.replace(base, outcome=None)),
            *attacking(base, handler=f"os.{ATTACK}"),
            *attacking(base, handler=f"{ATTACK}/x.y"),
            *attacking(base, replay_version=3),
            *attacking(with_calls(calls, at_import=())),
            Part(ATTACK, "begun", b"{}"),
            Part(new_ulid(), ATTACK, b"{}"),
        ],
    )
    return project


PROGRAM = """
import sys
from replay.cli import main
for arguments in {commands!r}:
    print(">>>", ascii(arguments), flush=True)
    try:
        main(arguments)
    except SystemExit as ended:
        print("<<<", ended.code, flush=True)
"""


def on_terminal(command: list[str], **variables: str) -> str:
    """All that a program writes to its terminal, whose user answers every question with no."""
    ours, theirs = pty.openpty()
    attributes = termios.tcgetattr(theirs)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **variables}
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    with subprocess.Popen(command, env=environment, start_new_session=True, **streams):
        os.close(theirs)
        os.write(ours, b"n\n" * 50)
        written = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            written += piece
    os.close(ours)
    return written.decode(errors="surrogateescape")


def commands_that(text: str) -> dict[str, str]:
    """By program, the first of what is neither text nor styling of ours, and what is around it."""
    found = {}
    for run in STYLE.sub("", text.replace("\r\n", "\n")).split(">>> "):
        odd = next((n for n, c in enumerate(run) if c not in "\n\t" and escaped(c) != c), None)
        if odd is not None:
            found[run.partition("\n")[0][:80]] = ascii(run[max(0, odd - 60) : odd + 20])
    return found


def refuse_commands(text: str) -> None:
    """Fail, telling which program let what through."""
    found = [f"{run}: {around}" for run, around in commands_that(text).items()]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.long
def test_no_command_lets_through_what_was_captured(shop):
    """Tables, details, verdicts, plans, questions, errors, hints, in colour."""
    query(shop / "replay.db", "CREATE TABLE x (y)")  # the file is theirs
    commands = [
        *(
            ["list"],
            ["list", "--json"],
            ["stats"],
            ["doctor"],
            ["tag"],
            ["tag", "@2", "--add", "t"],
        ),
        *(["show", f"@{n}"] for n in range(1, 10)),
        *(["show", f"@{n}", "--json"] for n in (1, 3)),
        *(["stats"], ["stats", "--json"]),
        *(
            ["run", "--once", "-s"],
            ["run", "-s", "--isolation", "process"],
            ["run", "--json", "--once"],
        ),
        *(
            ["run", "--set", f"$={json.dumps(ATTACK)}", "--once"],
            ["export"],
            ["export", "-o", "all.jsonl"],
        ),
        *(["generate"], ["generate", "--json"], ["generate", "--expect", "recorded"], ["minimize"]),
        *(["prune", "--all"], ["prune", "--all", "--purge"], ["import", "all.jsonl"], ["upgrade"]),
        ["import", "all.jsonl", "--store", "other.db"],
    ]
    text = on_terminal([sys.executable, "-c", PROGRAM.format(commands=commands)])
    assert text.count("<<<") == len(commands)
    assert not re.findall(r"<<< 3\b", text), text[-3000:]
    refuse_commands(text)
    assert "\\x1b]52;c;aGk=\\x07" in text
    assert "[bold red]x[/]" in text
    assert STYLE.search(text), "it was no terminal, or nothing was styled"


@pytest.mark.long
def test_no_command_lets_through_what_it_was_given(shop):
    """Names of files, handlers, ids, filters, tags, settings: a shell fills them in for stars."""
    name = ATTACK.replace("\x00", "").replace("/", "")
    (shop / f"{name}.json").write_text("{}")
    (shop / f"{name}.jsonl").write_text("x")
    (shop / name).mkdir()
    written(file_of({"a": 1}), shop / name)
    file, lines, folder = f"./{name}.json", f"./{name}.jsonl", f"./{name}"
    commands = [
        *(
            ["show", name],
            ["list", "--function", name],
            ["list", "--where", name],
            ["list", "--since", name],
        ),
        *(["list", "--tag", name], ["list", "--outcome", name], ["list", "--store", name]),
        *(
            ["list", "--limit", name],
            ["list", f"--{name}"],
            ["list", name],
            [name],
            ["list", "--before", name],
        ),
        *(
            ["run", file],
            ["run", lines],
            ["run", folder],
            ["run", "--handler", name],
            ["run", "--junit", folder],
        ),
        *(
            ["run", "@1", "--html", file],
            ["run", "@1", "--clock", name],
            ["run", "@1", "--set", name],
        ),
        *(
            ["run", "@1", "--allow-network", name],
            ["run", "@1", "--path", folder, "--handler", name],
        ),
        *(["import", file], ["import", lines], ["import", folder], ["import", f"no{name}"]),
        *(["accept", file], ["accept", folder], ["accept", f"no{name}"], ["export", "-o", file]),
        *(["invoke", name, "{}"], ["invoke", "app.handler", file], ["invoke", "app.handler", name]),
        *(["invoke", "app.handler", "{}", "--env-file", file], ["invoke", f"os.{name}", "{}"]),
        *(
            ["generate", "--to", file, "--yes"],
            ["minimize", "--changed-since", name],
            ["prune", name],
        ),
        *(
            ["tag", "@1", "--add", name],
            ["upgrade", "--store", name],
            ["doctor", "--store", folder],
        ),
        ["generate", "--fixtures", folder],
    ]
    (shop / "app.py").write_text("def handler(event, context):\n    return 1\n")
    text = on_terminal([sys.executable, "-c", PROGRAM.format(commands=commands)])
    assert text.count("<<<") == len(commands)
    assert not re.findall(r"<<< 3\b", text), text[-3000:]
    refuse_commands(text)


@pytest.mark.long
def test_the_plugin_lets_through_nothing_that_was_captured(shop):
    """A failing test's report, the summary at the end, warnings."""
    file = file_of({ATTACK: ATTACK}, Returned(json.dumps({ATTACK: ATTACK + "!"}).encode()))
    path = written(file, shop / "cases")
    path.rename(shop / "cases" / "one.replay.json")
    (shop / "cases" / "two.replay.json").write_text(
        f'{{"case": 1, "recording": {json.dumps(ATTACK)}}}'
    )
    (shop / "pyproject.toml").write_text("")
    # What a handler prints in the test's process, pytest shows as it does of any test.
    (shop / "app.py").write_text(APP.replace("print", "str"))
    options = ("-q", "-n0", "-p", "no:cacheprovider")
    text = on_terminal([sys.executable, "-m", "pytest", *options, "cases"])
    assert "2 failed" in text, text[-2000:]
    refuse_commands(text)


SAYING = """
import sqlite3, sys
from replay import capture
from replay.recorder.guard import say_once

say_once(sys.argv[1])

@capture(store=sys.argv[2])
def handler(event, context):
    return 1

handler({}, None)
"""


def test_what_the_recorder_says_is_one_line_without_commands(project):
    """In somebody's log: a path, or the words of another library's error."""
    name = ATTACK.replace("\x00", "").replace("/", "")
    (project / name).mkdir()
    store = f"{project}/{name}"  # a folder, which no store can be
    text = on_terminal([sys.executable, "-c", SAYING, f"it failed {name}\nforged line", store])
    assert "replay: it failed" in text
    refuse_commands(text)
    assert not [line for line in text.splitlines() if line.startswith("forged")]


def test_a_program_that_passes_it_on_would_be_seen(project):
    """Positive control: the terminal gives what was printed, and the look finds it."""
    for character in ATTACK[:1] + "\x9b\u202e\u200b\u2028":
        text = on_terminal([sys.executable, "-c", f"print('a' + {character!r})"])
        assert ascii(f"a{character}")[1:-1] in str(commands_that(text))


def test_the_recordings_are_what_they_seem(shop, replay):
    """Positive control: most of them can be read, so that what is shown is theirs."""
    found = json.loads(replay("list", "--json").stdout)
    assert len([one for one in found if one["damage"] is None]) >= 6
    assert len([one for one in found if LISTED in (one["function_name"] or "")]) >= 5
