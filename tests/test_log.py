"""`REPLAY_STORE=stdout:`: parts as lines of a log, and recordings out of logs again."""

import base64
import io
import json
import os
import random
import subprocess
import sys
import time
import zlib
from itertools import chain
from pathlib import Path

import pytest
from calls import with_calls
from hypothesis import given
from hypothesis import strategies as st
from test_cli import one_line_error
from test_store import recording, unfinished
from test_transfer import line_of

from replay.fixture import Fixture
from replay.part import BEGUN, ENDED, part_crc
from replay.recorder.log import MAX_LINE_BYTES, PREFIX, lines_of
from replay.recording import Recording
from replay.store.arrival import log

CLOUDWATCH_BYTES = 256 * 1024 - 26
MADE = [recording(event={"n": 1}), unfinished(), with_calls()]
FIXED_ID = "01m88fp872000hys4wwcjk118f"
APP = """
import time
def handler(event, context):
    print("before", end="")
    if event.get("sleeps"):
        print(flush=True)
        time.sleep(60)
    return {"echo": event["blob"][:10]}
"""
ALONE = """
import os, sys
from replay import capture

@capture(store="stdout:")
def handler(event, context):
    return event

"""


def lines(*made: Recording) -> list[bytes]:
    """The lines of recordings as the recorder writes them."""
    parts = chain.from_iterable(one.parts() for one in made)
    return [line for part in parts for line in lines_of(part.id, part.kind, part.payload)]


def read(text: bytes) -> list[Fixture | str]:
    """What a log holds; of errors, their messages."""
    found = log.read(io.BytesIO(text), "a.log")
    return [one if isinstance(one, Fixture) else one.message for one in found]


def ids(made: list[Recording]) -> list[str]:
    return sorted(one.id for one in made)


def large(size: int = 600_000) -> Recording:
    """A recording whose parts do not become much smaller."""
    blob = base64.b64encode(random.Random(7).randbytes(size)).decode()
    return recording(event={"blob": blob})


def forged(id: str, packed: bytes, *, kind: str = BEGUN, count: int = 1, crc: int = 0) -> bytes:
    """A line whose own checksum holds."""
    text = base64.b64encode(packed)
    said = b"%s %s 1/%d %08x z %s" % (id.encode(), kind.encode(), count, crc, text)
    return b"%s%s %08x\n" % (PREFIX, said, zlib.crc32(said))


def plain(found: list[bytes]) -> bytes:
    return b"START RequestId: 1\n" + b"printed".join(found) + b"REPORT RequestId: 1\n"


def tailed(found: list[bytes]) -> bytes:
    """As `aws logs tail` prints."""
    before = b"2026-11-22T07:07:12.433000+00:00 2026/11/22/[7]0123456789abcdef "
    return b"".join(before + line for line in found)


def filtered(found: list[bytes], indent: int | None = 4) -> bytes:
    """As `aws logs filter-log-events` prints."""
    events = [
        {"logStreamName": "s", "timestamp": 1, "message": line.decode(), "eventId": "1"}
        for line in found
    ]
    return json.dumps({"events": events, "searchedLogStreams": []}, indent=indent).encode()


@pytest.mark.slow
def test_an_invocation_under_awss_client_comes_back_out_of_its_log(project, runtime, replay):
    """No file is made, what the handler prints is there, and the replay matches."""
    (project / "app.py").write_text(APP)
    (project / "tmp").mkdir()
    process = runtime(
        "replay.recorder.handler.handler",
        REPLAY_HANDLER="app.handler",
        REPLAY_STORE="stdout:",
        TMPDIR=str(project / "tmp"),
    )
    secret = "planted-password"
    answer = process.invoke({"blob": large().invocation.event["blob"], "password": secret})
    process.kill()
    text = process.text()
    assert {it.name for it in project.iterdir()} <= {"app.py", "output", "tmp", "__pycache__"}
    assert list((project / "tmp").iterdir()) == []
    assert text.count("before") == 1
    (one,) = read(text.encode())
    assert secret.encode() not in b"".join(part.payload for part in one.parts)

    assert replay("import", "output").returncode == 0

    (verdict,) = json.loads(replay("run", "--json").stdout)
    assert (verdict["verdict"], verdict["outcome"]["value"]) == ("match", answer.value)
    (listed,) = json.loads(replay("list", "--json").stdout)
    assert (listed["id"], listed["outcome"]) == (one.id, "returned")


@pytest.mark.slow
def test_a_killed_invocation_leaves_its_begun_part_and_is_unfinished(project, runtime, replay):
    """The begun part was written before the handler began."""
    (project / "app.py").write_text(APP)
    process = runtime(
        "replay.recorder.handler.handler", REPLAY_HANDLER="app.handler", REPLAY_STORE="stdout:"
    )
    process.send({"sleeps": True}, timeout_ms=500)
    while "before" not in process.text():
        time.sleep(0.01)
    process.kill()

    assert replay("import", "output").returncode == 0

    (listed,) = json.loads(replay("list", "--json").stdout)
    assert listed["outcome"] == "unfinished"
    (verdict,) = json.loads(replay("run", "--json").stdout)
    assert (verdict["verdict"], verdict["outcome"]["kind"]) == ("match", "timed_out")


@pytest.mark.slow
@pytest.mark.parametrize("form", [plain, tailed, filtered, lambda it: filtered(it, None)])
def test_any_form_of_a_log_gives_the_same_bytes_in_any_order_exactly_once(project, replay, form):
    """Pieces out of order and twice; importing again changes nothing."""
    made = [*MADE, large()]
    found = lines(*made) * 2
    random.Random(3).shuffle(found)
    (project / "downloaded").write_bytes(form(found))

    first = replay("import", "downloaded")
    again = replay("import", "downloaded")

    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert first.stderr == "imported 4 recordings; the store had 0 already\n"
    assert again.stderr == "imported 0 recordings; the store had 4 already\n"
    exported = replay("export").stdout.encode().splitlines()
    assert exported == [line_of(one) for one in sorted(made, key=lambda one: one.id)]


@pytest.mark.parametrize("is_seekable", [True, False])
def test_a_log_can_come_through_stdin(project, replay, monkeypatch, is_seekable):
    """Out of a file or a pipe; what precedes the first line may be long."""
    text = io.BytesIO(b"noise\n" * 1_000_000 + b"".join(lines(*MADE)))
    text.seekable = lambda: is_seekable
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(text)))
    if not is_seekable:
        monkeypatch.setattr(sys.stdin.buffer.raw, "seek", None)
    assert replay("import", "-").stderr == "imported 3 recordings; the store had 0 already\n"


def test_overlapping_logs_complete_what_an_earlier_one_cut_off(project, replay):
    """Begun in one, ended in the next; the next alone has no beginning."""
    begun, ended = lines(MADE[0])
    for name, line in (("1.log", begun), ("2.log", ended)):
        (project / name).write_bytes(line)
    assert "its begun part is missing" in replay("import", "2.log", "--store", "other.db").stderr
    replay("import", "1.log")
    assert json.loads(replay("list", "--json").stdout)[0]["outcome"] == "unfinished"
    done = replay("import", "2.log")
    assert done.stderr == (
        "imported 0 recordings; the store had 1 already, 1 of them unfinished until now\n"
    )
    assert replay("import", "1.log").returncode == 0
    assert replay("export").stdout.encode() == line_of(MADE[0]) + b"\n"


def test_another_recording_of_the_same_id_is_left_out_of_a_log(project, replay):
    """In the store, or in the same log."""
    one, other = recording(id=FIXED_ID), recording(id=FIXED_ID, event={"other": 1})
    (project / "1.log").write_bytes(b"".join(lines(one)))
    (project / "2.log").write_bytes(b"".join(lines(other)))
    (project / "3.log").write_bytes(b"".join(lines(one, other)))
    assert replay("import", "1.log").returncode == 0
    for name, store in (("2.log", "replay.db"), ("3.log", "new.db")):
        done = replay("import", name, "--store", store)
        assert done.returncode == 2
        assert "content" in done.stderr
    assert replay("export").stdout.encode() == line_of(one) + b"\n"


@given(payload=st.binary(min_size=1, max_size=3000), order=st.randoms())
def test_lines_give_a_part_back_byte_for_byte(payload, order):
    """Whatever the bytes and the order."""
    found = list(lines_of(FIXED_ID, BEGUN, payload))
    order.shuffle(found)
    assert [one.parts[0].payload for one in read(b"".join(found))] == [payload]


def test_each_line_is_one_event_and_text_that_json_leaves_alone():
    """Under what CloudWatch takes, of ASCII, without quotes and backslashes; no smaller line."""
    found = lines(large(3_000_000), *MADE)
    assert len(found) > 10
    assert max(map(len, found)) <= MAX_LINE_BYTES + 1 < CLOUDWATCH_BYTES
    assert max(map(len, found)) > MAX_LINE_BYTES * 0.99
    for line in found:
        assert line.endswith(b"\n")
        assert b"\n" not in line[:-1]
        assert json.dumps(line[:-1].decode()) == f'"{line[:-1].decode()}"'
    small = sum(map(len, lines(recording(event={"body": "x" * 5000}))))
    assert small < 2500, "what repeats is packed"


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["flipped", "cut", "gone"])
def test_a_damaged_or_missing_line_is_named_and_the_rest_imported(project, replay, harm):
    """By id, exit 2; its recording is left out as a whole, a sound copy of the line mends it."""
    broken = large()
    first, *rest = lines(broken)
    middle = len(first) // 2
    harmed = {
        "flipped": first[:middle] + bytes([first[middle] ^ 1]) + first[middle + 1 :],
        "cut": first[:middle] + b"\n",
        "gone": b"",
    }[harm]
    text = harmed + b"".join([*rest, *lines(*MADE)])
    (project / "harmed.log").write_bytes(text)
    (project / "mended.log").write_bytes(text + first)

    done = replay("import", "harmed.log")

    assert done.returncode == 2
    assert broken.id in done.stderr
    assert "harmed.log" in done.stderr
    assert f"lines of its begun part 1 are {'not there' if harm == 'gone' else 'damaged'}" in (
        done.stderr
    )
    assert "imported 3 recordings; the store had 0 already; 1 not taken" in done.stderr
    assert replay("import", "mended.log").returncode == 0
    assert len(json.loads(replay("list", "--json").stdout)) == 4


def test_no_bit_of_a_line_can_be_changed_without_notice():
    """Every byte of a line's text is covered by a checksum, or the line is not one any more."""
    (line,) = lines(unfinished())
    (sound,) = read(line)
    for at in range(len(PREFIX), len(line) - 1, 7):
        (found,) = read(line[:at] + bytes([line[at] ^ 4]) + line[at + 1 :])
        assert isinstance(found, str), at
    assert isinstance(sound, Fixture)


@pytest.mark.slow
def test_a_bomb_is_refused_at_64_mib():
    """Before it is unpacked any further; a payload that fits to the byte is taken."""
    bomb = zlib.compress(bytes(65 * 2**20))
    started = time.perf_counter()
    assert "over 64 MiB" in read(forged(FIXED_ID, bomb))[0]
    assert time.perf_counter() - started < 2
    assert log._unpacked(zlib.compress(bytes(100)), b"z", 100) == bytes(100)
    with pytest.raises(ValueError, match="over"):
        log._unpacked(zlib.compress(bytes(101)), b"z", 100)
    with pytest.raises(ValueError, match="end is not there"):
        log._unpacked(zlib.compress(bytes(100))[:-5], b"z", 100)


@pytest.mark.slow
def test_the_parts_of_a_recording_share_the_64_mib():
    """Each alone would fit."""
    half = bytes(40 * 2**20)
    begun, ended = (
        forged(FIXED_ID, zlib.compress(half), kind=kind, crc=part_crc(FIXED_ID, kind, half))
        for kind in (BEGUN, ENDED)
    )
    assert isinstance(read(begun)[0], Fixture)
    assert "over 64 MiB" in read(begun + ended)[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        forged(FIXED_ID, zlib.compress(b"{}"), count=999_999),
        forged(FIXED_ID, zlib.compress(b"{}"), count=10**40),
        forged(FIXED_ID, zlib.compress(b"{}"), count=2),
        forged(FIXED_ID, zlib.compress(b"{}"), crc=1),
        forged(FIXED_ID, b"no zlib", crc=part_crc(FIXED_ID, BEGUN, b"no zlib")),
        forged("../../../etc/passwd\x1b]52;c;AA==", zlib.compress(b"{}")),
        PREFIX * 3,
        PREFIX + b"A" * 2 * MAX_LINE_BYTES,
        forged(FIXED_ID, zlib.compress(b"{}")).replace(b" 1/1 ", b" 0/1 "),
    ],
)
def test_a_hostile_line_costs_nothing_but_itself(project, replay, line):
    """Exit 2, one or a few clear lines, nothing of it taken; what follows is."""
    (project / "hostile.log").write_bytes(line + b"".join(lines(*MADE)))
    done = replay("import", "hostile.log")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert "imported 3 recordings" in done.stderr


def test_an_export_that_quotes_such_lines_is_an_export(project, replay):
    """A function may be invoked with a log."""
    one = recording(event={"message": b"".join(lines(*MADE)).decode()})
    (project / "export.jsonl").write_bytes(line_of(one) + b"\n")
    assert replay("import", "export.jsonl").returncode == 0
    assert [it["id"] for it in json.loads(replay("list", "--json").stdout)] == [one.id]


def run(program: str, **options: object) -> "subprocess.CompletedProcess[bytes]":
    environment = {name: it for name, it in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return subprocess.run(
        [sys.executable, "-c", ALONE + program],
        capture_output=True,
        check=True,
        timeout=60,
        env={**environment, **options.pop("variables", {})},
        **options,
    )


def test_what_the_hosts_own_stdout_is_makes_no_difference(project):
    """Its object is left alone: replaced, it holds what it would hold without capture."""
    done = run(
        "import io, contextlib\n"
        "with contextlib.redirect_stdout(io.StringIO()) as mine:\n"
        "    handler({'n': 1}, None)\n"
        "print(repr(mine.getvalue()), flush=True)\n",
        cwd=project,
    )
    assert done.stdout.splitlines()[-1] == b"''"
    (one,) = read(done.stdout)
    assert one.recording.outcome is not None


def test_a_closed_stdout_costs_parts_and_never_the_host(project):
    """Said once on stderr, counted, and told by the next part that can be written."""
    done = run(
        "saved = os.dup(1)\n"
        "os.close(1)\n"
        "assert handler({'n': 1}, None) == {'n': 1}\n"
        "os.dup2(saved, 1)\n"
        "assert handler({'n': 2}, None) == {'n': 2}\n",
        cwd=project,
    )
    assert done.stderr.count(b"a captured part is lost: standard output takes no line") == 1
    (one,) = read(done.stdout)
    assert (one.recording.invocation.event, one.recording.lost_parts) == ({"n": 2}, 1)
    assert list(Path().iterdir()) == []


@pytest.mark.slow
def test_a_full_pipe_that_nobody_reads_holds_up_a_host_that_does_not_wait_for_25_ms(project):
    """Where descriptor 1 does not block; what was cut off spoils no other line."""
    done = run(
        "import time\n"
        "saved = os.dup(1)\n"
        "ours, full = os.pipe()\n"
        "os.set_blocking(full, False)\n"
        "os.dup2(full, 1)\n"
        "begun = time.monotonic()\n"
        "handler({'blob': os.urandom(500_000).hex()}, None)\n"
        "assert time.monotonic() - begun < 1\n"
        "os.dup2(saved, 1)\n"
        "os.write(1, os.read(ours, 1 << 20))\n"
        "handler({'n': 2}, None)\n",
        cwd=project,
    )
    *damaged, one = sorted(read(done.stdout), key=lambda it: isinstance(it, Fixture))
    assert ["begun part" in it for it in damaged] == [True]
    assert one.recording.invocation.event == {"n": 2}


def test_the_caps_of_parts_hold(project):
    """Above REPLAY_MAX_BYTES a digest is kept; a cap of the store is none here."""
    done = run(
        "handler({'blob': 'x' * 5000}, None)\n",
        cwd=project,
        variables={"REPLAY_MAX_BYTES": "1KiB", "REPLAY_MAX_STORE_BYTES": "1"},
    )
    (one,) = read(done.stdout)
    assert one.recording.invocation.event.size_bytes > 5000
    assert [part.kind for part in one.parts] == [BEGUN, ENDED]


def test_pseudonyms_agree_within_a_process_and_by_a_key_of_ones_own(project):
    """There is no file for a key: without REPLAY_REDACT_KEY another sandbox's differ."""
    program = (
        "for n in range(2):\n"
        "    os.environ['ROUND'] = str(n)\n"  # the rules are made anew
        "    handler({'password': 'planted-password'}, None)\n"
    )

    def found(**variables: str) -> set[str]:
        done = run(program, cwd=project, variables=variables)
        return {one.recording.invocation.event["password"] for one in read(done.stdout)}

    (one,), (other,) = found(), found()
    assert one != other
    assert found(REPLAY_REDACT_KEY="ours") == found(REPLAY_REDACT_KEY="ours")
    assert "planted-password" not in {one, other}


@pytest.mark.slow
def test_threads_and_forks_write_whole_lines(project):
    """Each part is there once; a pipe keeps lines of several processes apart up to 4 KB alone."""
    done = run(
        "import threading\n"
        "def many():\n"
        "    for n in range(20): handler({'blob': os.urandom(20_000).hex()}, None)\n"
        "threads = [threading.Thread(target=many) for _ in range(4)]\n"
        "for it in threads: it.start()\n"
        "for it in threads: it.join()\n"
        "for _ in range(3):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        handler({'forked': 1}, None)\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n",
        cwd=project,
    )
    found = read(done.stdout)
    assert [it for it in found if isinstance(it, str)] == []
    assert len(found) == 83


def test_a_log_without_a_line_of_ours_is_one_error(project, replay):
    """Not one for each of its lines; a file that cannot be opened says why."""
    (project / "orders.log").write_text("START RequestId: 1\nhello {}\nEND RequestId: 1\n" * 99)
    done = replay("import", "orders.log")
    assert (done.returncode, done.stderr.count("error: ")) == (2, 1)
    assert "orders.log is a log without a line of the recorder's" in done.stderr
    assert "hint: set REPLAY_STORE=stdout:" in done.stderr


def test_commands_say_that_a_log_is_no_store(project, replay):
    """REPLAY_STORE is the recorder's as well."""
    assert "not a file" in one_line_error(replay("list", REPLAY_STORE="stdout:"))
