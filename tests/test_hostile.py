"""What somebody else may have written: arguments, filters, files of every kind.

Nothing of it is ever a bug of ours: exit 3 is what these tests look for.
"""

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import also_slow
from databases import capture_parts, query
from test_case_file import file_of, written
from test_store import recording, unfinished

from replay.errors import ReplayError
from replay.outcome import Raised
from replay.recording import Recording
from replay.replayer.rule import rule_of
from replay.store.selection import Selection

APP = "def handler(event, context):\n    return 1\n"
DEEP = "[" * 50_000 + "]" * 50_000


@pytest.fixture
def shop(project) -> list[Recording]:
    """A project with a handler and three recordings."""
    made = [recording(event={"n": 1}), unfinished(), recording(outcome=Raised("E'", "m"))]
    capture_parts(project / "replay.db", *made)
    (project / "app.py").write_text(APP)
    return made


PIECES = [
    *("'", '"', "''", "' OR 1=1 --", '"; DROP TABLE part; --', "\\", "%", "_", "*", "?", "NULL"),
    *(
        ":a",
        "@1",
        "@latest",
        "@0",
        "@-1",
        "@99999999999",
        "$",
        "$.n",
        "$.n=1",
        "$..*",
        "$[?@.n==1]",
    ),
    *(
        "$['a'",
        "$[" * 50,
        "=",
        "==",
        "=1",
        "=null",
        '={"a":1}',
        "=[",
        "\x1b[2J",
        "\u202e",
        "\u200b",
    ),
    *("é", "世界", "\N{GRINNING FACE}", "\udcff", "\n", "\r\n", "\t", " ", "", "-1", "0", "1e9"),
    *(
        "9" * 30,
        "-" + "9" * 30,
        "2h",
        "0s",
        "99999999999w",
        "2026-11-22",
        "9999-12-31T23:59:59+14:00",
    ),
    *(
        "0001-01-01",
        "a" * 3000,
        "x",
        "aws:sqs",
        "unfinished",
        "returned",
        "../..",
        "/etc/passwd.json",
    ),
    *(
        "$.n=" + "9" * 5000,
        "$.n=" + DEEP[:3000],
        "$" + ".a" * 3000 + "=1",
        "$.n=1" * 200,
        "%s%n{0}",
    ),
]
OPTIONS = [
    *("--function", "--alias", "--outcome", "--error-type", "--source", "--since", "--until"),
    *("--tag", "--where", "--limit", "--before"),
]


def fuzzed(seed: int, count: int) -> Iterator[list[str]]:
    """Commands with filters, ids and places made of what breaks a query."""
    chance = random.Random(seed)

    def text() -> str:
        return "".join(chance.choices(PIECES, k=chance.choice((1, 1, 2, 3))))

    for _ in range(count):
        command = chance.choice(("list", "list", "tag", "show", "export"))
        if command == "show" or chance.random() < 0.2:
            arguments = ["show", text()] if command == "show" else ["tag", text(), text()]
            yield [*arguments, "--json"]
            continue
        options = [f"{chance.choice(OPTIONS[:10])}={text()}" for _ in range(chance.randint(1, 3))]
        if command == "list" and chance.random() < 0.1:
            options.append(f"--before={text()}")
        yield [command, *options, *(["--json"] if command != "export" else [])]


def refuse_bugs(replay, commands: Iterator[list[str]]) -> set[int]:
    """The exit codes of commands; each ends with 0 or 2, and tells nothing of SQL."""
    codes = set()
    for arguments in commands:
        done = replay(*arguments)
        told = done.stderr.lower()
        assert done.returncode in (0, 2), (arguments, done.stderr[-900:])
        assert "traceback" not in told, arguments
        assert not [it for it in ("sqlite3", "operationalerror", "syntax error") if it in told]
        if done.stdout and "--json" in arguments:
            json.loads(done.stdout)
        codes.add(done.returncode)
    return codes


@pytest.mark.long
def test_filters_and_ids_are_values_whatever_is_in_them(shop, project, replay):
    """Quotes, SQL, controls, numbers out of range, paths of all lengths: found, or refused."""
    assert {0, 2} == refuse_bugs(replay, fuzzed(1, 250))
    assert query(project / "replay.db", "SELECT count(*) FROM part") == [(5,)]


@pytest.mark.long
def test_two_thousand_filters_and_ids_are_values(shop, project, replay):
    """As many as the table of hazards asks for."""
    assert {0, 2} == refuse_bugs(replay, fuzzed(2, 2_000))
    assert query(project / "replay.db", "SELECT count(*) FROM part") == [(5,)]


def test_a_filter_put_into_the_statement_would_be_found():
    """Positive control: the first pieces end a literal; in our statements no value ever stands."""
    for piece in PIECES:
        text = Selection(function_name=piece, tags=(piece,), before=piece).query("id", limit=1).text
        assert (
            text == Selection(function_name="x", tags=("y",), before="z").query("id", limit=1).text
        )
        assert "'" not in text


def test_a_value_that_a_column_cannot_hold_is_looked_for_as_it_is_kept(project, replay):
    """A lone surrogate is stored as its escape, and found by it."""
    capture_parts(project / "replay.db", recording(outcome=Raised("E\udcff", "m")))
    assert len(json.loads(replay("list", "--json", "--error-type", "E\udcff").stdout)) == 1


FILES: dict[str, bytes] = {
    "deep.json": DEEP.encode(),
    "digits.json": b"9" * 1_000_000,
    "exponent.json": b"1E" + b"9" * 400_000,
    "half.json": b'{"a":' * 50_000,
    "twice.json": b'{"format":1,"format":1}',
    "text.json": b'"' + b"x" * 1000,
    "nul.json": b"\x00" * 1000,
    "utf16.json": '{"a": 1}'.encode("utf-16"),
    "latin.json": b'{"a": "\xff"}',
    "marker.json": b"\xef\xbb\xbf{}",
    "case-deep.json": b'{"case":1,"recording":' + DEEP.encode() + b"}",
    "case-digits.json": b'{"case":1,"recording":' + b"9" * 1_000_000 + b"}",
    "case-list.json": b'{"case":[],"recording":[]}',
    "case-number.json": b'{"case":1,"recording":{"parts":3},"name":"a","runs":"here"}',
    "case-file.json": b'{"case":1,"recording":{"parts":[{"file":3}]},"name":"a","runs":"here",'
    b'"handler":"a.b","expected":{"kind":"returned","value":1}}',
    "bomb.jsonl": b"\x1f\x8b\x08\x00" + b"\x00" * 1000,
    "bomb.json": b"(\xb5/\xfd" + b"\x00" * 1000,
}
READERS: dict[str, Callable[[str], list[str]]] = {
    "import": lambda name: ["import", name],
    "run": lambda name: ["run", f"./{name}"],
    "generate": lambda name: ["generate", f"./{name}", "--json"],
    "minimize": lambda name: ["minimize", f"./{name}"],
    "accept": lambda name: ["accept", name],
    "client context": lambda name: ["invoke", "app.handler", "1", "--client-context", name],
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("reader", also_slow(["run", "import"], READERS))
def test_a_file_of_anything_is_one_clear_error_at_once(project, replay, reader, name):
    """Named, exit 2, whichever command is given it."""
    if reader == "client context" and name in ("marker.json", "utf16.json"):
        pytest.skip("JSON that is read as such")
    (project / name).write_bytes(FILES[name])
    (project / "app.py").write_text(APP)
    began = time.process_time()
    done = replay(*READERS[reader](name))
    if not (reader == "client context" and done.returncode in (0, 1)):
        assert done.returncode == 2, done.stderr[-900:]
        assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert time.process_time() - began < 3


@pytest.mark.parametrize("reader", [*READERS, "invoke"])
def test_a_file_without_end_is_not_read(project, replay, reader):
    """A link among fixtures that leads to a device."""
    (project / "app.py").write_text(APP)
    (project / "endless.json").symlink_to("/dev/zero")
    given = READERS.get(reader, lambda name: ["invoke", "app.handler", name])("endless.json")
    done = replay(*given)
    assert done.returncode == 2
    assert "endless.json" in done.stderr
    assert "device" in done.stderr


@pytest.mark.slow
def test_a_folder_with_an_endless_case_has_its_other_cases(project, replay):
    """What is no file is passed over where a folder is given."""
    (project / "app.py").write_text(APP)
    written(file_of({"a": 1}), project / "cases")
    (project / "cases" / "endless.json").symlink_to("/dev/zero")
    assert replay("accept", "cases", "--allow-empty").returncode in (0, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "event", [DEEP, "9" * 100_000, '{"a":' * 9_000 + "1" + "}" * 9_000, "1E" + "9" * 90_000]
)
def test_an_event_of_anything_is_given_or_refused(project, replay, event):
    """In a file, and on the command line: exit 2, or what the function made of it."""
    (project / "app.py").write_text(APP)
    (project / "event.json").write_text(event)
    for given in ("event.json", event):
        assert replay("invoke", "app.handler", given).returncode in (0, 1, 2)


def test_an_event_that_nests_deep_is_looked_into(project, replay):
    """As deep as Lambda's own parser goes, which the library would refuse."""
    event: object = {"n": 1}
    for _ in range(900):
        event = [event]
    capture_parts(project / "replay.db", recording(event=event))
    assert len(json.loads(replay("list", "--json", "--where", "$..n=1").stdout)) == 1


@pytest.mark.parametrize(
    "path", ["$..*..*..*", "$[?@.a == 1]", "$[?match(@.a, '(a|aa)+b')]", "$.*"]
)
def test_a_rule_that_takes_time_or_excuses_all_is_refused(path):
    """A case of somebody else's is judged by rules that it brings along."""
    with pytest.raises(ReplayError):
        rule_of({"path": path, "kind": "any"})


@pytest.mark.slow
def test_what_is_printed_is_no_larger_than_what_is_captured(project, replay):
    """Indentation grows with the square of the depth: 400 KB would be printed as 800 MB."""
    event: object = ["x"] * 100_000
    for _ in range(900):
        event = [event]
    capture_parts(project / "replay.db", recording(event=event))
    for arguments in (["show", "@1"], ["show", "@1", "--json"], ["run", "@1", "--json"]):
        (project / "app.py").write_text("def handler(event, context):\n    return event\n")
        done = replay(*arguments)
        assert done.returncode in (0, 1)
        assert len(done.stdout) < 20_000_000
        assert done.stdout.count('"x"') >= 100_000


def test_a_store_that_cannot_be_named_is_one_clear_line(project, replay):
    """By option and by variable."""
    for name in ("a" * 5_000, "no/such/folder/replay.db", str(Path(os.devnull) / "x")):
        for done in (replay("list", "--store", name), replay("list", REPLAY_STORE=name)):
            assert done.returncode == 2, done.stderr[-500:]
            assert len(done.stderr.splitlines()) == 2
