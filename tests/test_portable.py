"""Portable files: packed or plain, of any size, and one recording as an event or as a case."""

import io
import json
import subprocess
import sys
import tracemalloc

import pytest
from databases import capture_parts
from test_cli import one_line_error
from test_store import recording, unfinished

from replay.errors import DamagedError
from replay.fixture import Fixture, fixture_line, read_stream
from replay.packed_file import UnpackingError, unpacked
from replay.zstd import zstd

APP = "def handler(event, context):\n    return event\n"


@pytest.fixture
def three(project):
    """Three recordings in the store of `project`, oldest first; the handler returns its event."""
    made = [recording(event={"n": n, "text": "x" * 500}) for n in range(2)]
    capture_parts(project / "replay.db", *made, unfinished())
    (project / "app.py").write_text(APP)
    return made


def lines(count: int, size_bytes: int = 500) -> bytes:
    """An export of so many recordings, each with text that cannot be packed to nothing."""
    made = (recording(event={"n": n, "text": f"{n * 7919 % 10007:05}" * 99}) for n in range(count))
    return b"".join(fixture_line(Fixture(one.id, one.parts())) + b"\n" for one in made)


def test_an_export_that_ends_in_zst_is_packed_and_read_as_the_plain_one(three, project, replay):
    """Written whole, byte for byte the same lines, and by the usual command `zstd` as well."""
    assert replay("export", "-o", "plain.jsonl").returncode == 0
    done = replay("export", "-o", "packed.jsonl.zst")
    assert (done.returncode, "exported 3" in done.stderr) == (0, True)
    packed = (project / "packed.jsonl.zst").read_bytes()
    assert zstd.decompress(packed) == (project / "plain.jsonl").read_bytes()
    assert len(packed) < len(zstd.decompress(packed)) / 2
    done = replay("import", "packed.jsonl.zst", "--store", "other.db")
    assert (done.returncode, "imported 3" in done.stderr) == (0, True), done.stderr
    assert replay("export", "--store", "other.db").stdout.encode() == zstd.decompress(packed)


def test_a_packed_file_is_replayed_as_it_is(three, replay):
    """Without a store; the unfinished one has nothing to be compared with."""
    assert replay("export", "-o", "packed.jsonl.zst").returncode == 0
    done = replay("run", "packed.jsonl.zst", "--once", "--json", "--store", "none.db")
    assert [one["id"] for one in json.loads(done.stdout)][:2] == [one.id for one in three]


@pytest.mark.parametrize("name", ["packed.jsonl", "packed.json", "packed.txt"])
def test_what_is_packed_is_read_under_every_name(three, project, replay, name):
    """Its first bytes tell; a name that promises what is not there is an error, below."""
    assert replay("export", "-o", "packed.jsonl.zst").returncode == 0
    (project / "packed.jsonl.zst").rename(project / name)
    done = replay("import", name, "--store", "other.db")
    assert (done.returncode, "imported 3" in done.stderr) == (0, True), done.stderr


@pytest.mark.long
def test_standard_input_may_be_packed(three, project):
    """A pipe, which cannot be read twice."""
    command = f"{sys.executable} -m replay"
    done = subprocess.run(
        f"{command} export -o p.jsonl.zst && cat p.jsonl.zst | {command} import - --store o.db",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "imported 3" in done.stderr) == (0, True), done.stderr


def test_several_frames_behind_each_other_are_one_file(three, project, replay):
    """As `cat` makes it of two exports; a frame that holds nothing for a reader is passed over."""
    made = [
        zstd.compress(lines(3)),
        b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc",
        zstd.compress(lines(2)),
    ]
    (project / "joined.jsonl.zst").write_bytes(b"".join(made))
    done = replay("import", "joined.jsonl.zst")
    assert (done.returncode, "imported 5" in done.stderr) == (0, True), done.stderr


def test_of_a_file_that_was_cut_all_that_came_before_is_taken(project, replay):
    """It is an error all the same, and the whole file brings the rest."""
    content = lines(2000)
    packed = zstd.compress(content)
    (project / "cut.jsonl.zst").write_bytes(packed[: len(packed) // 2])
    done = replay("import", "cut.jsonl.zst")
    assert done.returncode == 2
    assert "cut.jsonl.zst: its end is not there" in done.stderr
    words = done.stderr.split("imported ")[1]
    taken = int(words.split()[0].replace(",", ""))
    assert 200 < taken < 2000
    (project / "cut.jsonl.zst").write_bytes(packed)
    done = replay("import", "cut.jsonl.zst")
    assert f"imported {2000 - taken:,} recordings; the store had {taken:,}" in done.stderr


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


LINES = lines(3)
BAD = {
    "cut.jsonl.zst": (zstd.compress(LINES)[:-9], "its end is not there"),
    "damaged.jsonl.zst": (flipped(zstd.compress(LINES)), "damaged"),
    "tail.jsonl.zst": (zstd.compress(LINES) + b"more", "damaged"),
    "plain.jsonl.zst": (LINES, "is no zstd data"),
    "gzip.jsonl.zst": (b"\x1f\x8b\x08\x00" + bytes(40), "is no zstd data"),
    "empty.jsonl.zst": (b"", "is no zstd data"),
    "nothing.jsonl.zst": (zstd.compress(b""), "is empty"),
    "text.jsonl.zst": (zstd.compress(b"a text\n"), "line 1: not JSON"),
    "gzip.jsonl": (b"\x1f\x8b\x08\x00" + bytes(40), "is gzip data"),
    "window.jsonl.zst": (b"(\xb5/\xfd\x00\xa8" + bytes(40), "damaged"),
    "store.jsonl.zst": (zstd.compress(b"SQLite format 3\0" + bytes(4096)), "an SQLite database"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("command", ["import", "run"])
def test_a_bad_file_is_a_clear_error_and_nothing_is_lost(three, project, replay, name, command):
    """Exit 2, the file named, no traceback; what the store had is there."""
    content, words = BAD[name]
    (project / name).write_bytes(content)
    done = replay(command, name, *(["--once"] if command == "run" else []))
    assert done.returncode == 2
    assert name in done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(json.loads(replay("list", "--json").stdout)) >= 3


def bomb() -> bytes:
    """A GiB and more of one line, as a hundred KB."""
    zeros = zstd.compress(b"0" * 2**26)
    return zstd.compress(LINES[: LINES.index(b"\n") + 1]) + zeros * 17


@pytest.mark.slow
def test_a_bomb_takes_no_memory_and_an_error_ends_it(project, replay):
    """What stood before it is read."""
    content = bomb()
    assert len(content) < 2**18
    tracemalloc.start()
    try:
        found = list(read_stream(io.BytesIO(content), "bomb.jsonl.zst"))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(found[0], Fixture)
    assert [type(one) for one in found[1:]] == [DamagedError] * (len(found) - 1)
    assert "over 1 GiB" in str(found[-1])
    assert peak_bytes < 2**29  # a few times the longest line that is read


def test_a_long_line_is_no_bomb():
    """Positive control: one that a recording may have is read through the same stream."""
    stream = unpacked(io.BytesIO(zstd.compress(b"{" + b"0" * 2**25 + b"}\n")), "x")
    assert len(stream.readline()) == 2**25 + 3
    cut = unpacked(io.BytesIO(zstd.compress(b"0" * 2**20)[:-2]), "x")
    with pytest.raises(UnpackingError):
        cut.read()


PEAK = """
import resource, sys
from replay.cli import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code, ended.code
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_mib(*arguments: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *arguments], capture_output=True, text=True, check=True
    )
    return int(done.stdout.splitlines()[-1]) / 2 ** (20 if sys.platform == "darwin" else 10)


@pytest.mark.long
def test_memory_does_not_grow_with_a_file(project):
    """Four times the recordings are imported and exported in the memory of the small file."""
    peaks = []
    for count in (1_500, 6_000):
        (project / f"{count}.jsonl.zst").write_bytes(zstd.compress(lines(count)))
        store = ("--store", f"{count}.db")
        taken = peak_mib("import", f"{count}.jsonl.zst", *store)
        written = peak_mib("export", *store, "-o", f"{count}-again.jsonl.zst")
        peaks.append((taken, written))
    (small_in, small_out), (large_in, large_out) = peaks
    assert large_in < small_in + 16
    assert large_out < small_out + 16


def test_a_name_that_promises_another_packing_is_refused(three, project, replay):
    """What would be written into it is no gzip data."""
    error = one_line_error(replay("export", "-o", "all.jsonl.gz"))
    assert "all.jsonl.gz would be packed as .gz" in error
    assert not (project / "all.jsonl.gz").exists()


def test_an_event_alone_is_what_other_local_tools_take(three, project, replay):
    """To a file or to stdout, as the JSON that Lambda was invoked with."""
    event = three[1].invocation.event
    assert json.loads(replay("export", three[1].id, "--sam-event").stdout) == event
    done = replay("export", three[1].id, "--sam-event", "-o", "event.json")
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads((project / "event.json").read_bytes()) == event
    assert replay("invoke", "app.handler", "event.json").returncode == 0
    assert "is there already" in replay("export", "@1", "--sam-event", "-o", "event.json").stderr


def test_an_event_is_written_as_it_reads(project, replay):
    """Text in its own letters, a lone surrogate escaped, great numbers digit by digit."""
    events = [
        {"name": "Zoë 東京"},
        {"half": "\ud800"},
        {"n": 10**30},
        [1, None, True],
        "text",
        None,
    ]
    made = [recording(event=event) for event in events]
    capture_parts(project / "replay.db", *made)
    texts = [replay("export", one.id, "--sam-event").stdout for one in made]
    assert [json.loads(text) for text in texts] == events
    assert "東京" in texts[0]


def test_an_event_that_no_json_says_is_refused(project, replay):
    """An infinite number or a tuple would be another event."""
    for event in ({"n": float("inf")}, {"n": (1, 2)}, b"\x00"):
        one = recording(event=event)
        capture_parts(project / "replay.db", one)
        assert one.id in one_line_error(replay("export", one.id, "--sam-event"))


@pytest.mark.parametrize("form", ["--sam-event", "--fixture"])
def test_a_form_for_one_recording_is_not_written_for_several(three, replay, form):
    """Nor for none, nor together with the other one."""
    assert "more than one is selected" in one_line_error(replay("export", form))
    assert replay("export", form, "--function", "nobody").returncode == 2
    assert "two forms" in one_line_error(replay("export", "@1", "--sam-event", "--fixture"))


def test_a_case_is_what_replay_generate_writes_and_is_replayed(three, project, replay):
    """Held to the recorded outcome; its name says what it is, and drift is seen."""
    done = replay("export", three[0].id, "--fixture", "-o", "case.json")
    assert done.returncode == 0, done.stderr
    document = json.loads((project / "case.json").read_bytes())
    assert (document["case"], document["handler"]) == (1, "app.handler")
    assert document["recording"]["id"] == three[0].id
    assert json.loads(replay("export", three[0].id, "--fixture").stdout) == document
    (project / "app.py").write_text("def handler(event, context):\n    return 1\n")
    assert replay("run", "case.json", "--once").returncode in (0, 1)
    assert "is there already" in replay("export", "@1", "--fixture", "-o", "case.json").stderr


def test_large_parts_of_a_case_stand_beside_it(project, replay):
    """Which stdout has no place for."""
    one = recording(event={"text": "x" * 50_000})
    capture_parts(project / "replay.db", one)
    assert "large parts" in one_line_error(replay("export", "@1", "--fixture"))
    assert replay("export", "@1", "--fixture", "-o", "case.json").returncode == 0
    assert (project / "case.parts").is_dir()
    (project / "app.py").write_text(APP)
    assert "case.json" not in replay("run", "case.json", "--once").stderr
