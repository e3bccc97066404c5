"""Payloads as a store keeps them: packed where that saves something, and read as they were."""

import shutil
import sqlite3
import subprocess
import sys
import threading
import tracemalloc
from contextlib import closing
from functools import partial
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest
from calls import of_one_sandbox, with_calls
from databases import capture_parts, content_of, query
from hypothesis import given
from hypothesis import strategies as st
from test_store import recording, unfinished
from test_upgrade import CAPTURING, STORES

from replay.document import MAX_BYTES
from replay.errors import DamagedError
from replay.packed_file import MAGIC
from replay.recorder.ulid import new_ulid
from replay.recording import Part
from replay.store.packing import PackingError, packed, unpacked
from replay.store.selection import Selection
from replay.store.shrink import Smaller, portions
from replay.store.store import Store
from replay.zstd import zstd

EVENT = {"Records": [{"eventSource": "aws:sqs", "body": f"order o-{n}"} for n in range(100)]}
TEXT = b'{"format":1,"event":"' + b"a text that is written more than once; " * 100 + b'"}'
DICTIONARY = files("replay.store").joinpath("packing.dict").read_bytes()


def kept(path: Path) -> list[bytes]:
    return [payload for (payload,) in query(path, "SELECT payload FROM part ORDER BY n")]


def frame_of(payload: bytes, **options) -> bytes:
    return zstd.compress(payload, zstd_dict=zstd.ZstdDict(DICTIONARY), **options)


@given(st.binary() | st.binary().map(lambda rest: b'{"format":1,' + rest * 900))
def test_what_is_packed_is_unpacked_to_the_same_bytes(payload):
    """Whatever it is, but what begins as a frame: no recorder writes that."""
    if not payload.startswith(MAGIC):
        assert unpacked(packed(payload)) == payload


def test_only_a_document_that_becomes_smaller_is_packed():
    """Of 2 KiB or more, and by an eighth; what begins as nothing of ours is kept as it is."""
    noise, short = b"{" + Random(1).randbytes(5_000), TEXT[:2_000]
    for payload in (b"", b"{}", noise, short, TEXT[1:]):
        assert packed(payload) == payload
    assert packed(TEXT).startswith(MAGIC)
    assert len(packed(TEXT)) < len(TEXT) / 5


def test_a_frame_names_the_dictionary_that_the_package_ships():
    """By a number that zstd gives to nobody; the dictionary holds nothing of a machine."""
    assert zstd.get_frame_info(packed(TEXT)).dictionary_id == 40_001
    assert 16 * 2**10 <= len(DICTIONARY) <= 112 * 2**10
    for place in (b"/home/", b"/root/", b"/Users/", b"site-packages", b"127.0.0.1"):
        assert place not in DICTIONARY


def test_a_frame_of_another_dictionary_is_for_a_newer_version(project, replay):
    """It is no damage: the error says what to install, and other recordings are read."""
    later, good = recording(), recording()
    capture_parts(project / "replay.db", later, good)
    other = zstd.ZstdDict(DICTIONARY[:4] + (40_002).to_bytes(4, "little") + DICTIONARY[8:])
    packed_later = zstd.compress(later.parts()[0].payload, zstd_dict=other)
    query(
        project / "replay.db",
        "UPDATE part SET payload = ? WHERE id = ? AND kind = 'begun'",
        *(packed_later, later.id),
    )
    shown = replay("show", later.id)
    assert (shown.returncode, "dictionary 40002" in shown.stderr) == (2, True), shown.stderr
    assert "pip install -U lambda-replay" in shown.stderr
    assert replay("show", good.id).returncode == 0
    doctor = replay("doctor")
    assert "dictionary 40002" in doctor.stdout
    taken = replay("import", "replay.db", "--store", "other.db")
    assert (taken.returncode, "dictionary 40002" in taken.stderr) == (2, True)
    assert "imported 1 recordings" in taken.stderr


def test_every_flipped_bit_of_a_packed_payload_is_seen():
    """By zstd or by the checksum, unless what is read is what was written, which is rare."""
    payload = recording(event={"order": 1}).parts()[0].payload
    frame = packed(payload)
    silent = 0
    for position in range(len(frame) * 8):
        changed = bytearray(frame)
        changed[position // 8] ^= 1 << position % 8
        try:
            silent += unpacked(bytes(changed)) == payload
        except PackingError:
            continue
    assert silent <= len(frame) * 8 // 200


SIZE_FLAG = zstd.CompressionParameter.content_size_flag
BOMBS = {
    "more than it says": frame_of(TEXT)[:5] + b"\x00" + frame_of(TEXT)[6:],
    "of 8 GiB by its head": MAGIC + b"\xe0" + (2**33).to_bytes(8, "little") + b"\x01\x00\x00",
    "over the cap": zstd.compress(b"{" + bytes(MAX_BYTES)),
    "of no known size": zstd.compress(TEXT, options={SIZE_FLAG: 0}),
    "cut": frame_of(TEXT)[:-3],
    "two frames": frame_of(TEXT) * 2,
    "with a tail": frame_of(TEXT) + b"{}",
    "a head alone": MAGIC,
    "garbage": MAGIC + b"\x00" * 40,
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_frame_that_somebody_made_up_is_refused_and_takes_no_memory(what):
    """Whatever its head says of its size."""
    tracemalloc.start()
    try:
        with pytest.raises(PackingError):
            unpacked(BOMBS[what])
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_the_same_frame_is_read_where_it_is_sound():
    """Positive control: what is refused above is refused for what is wrong with it."""
    assert unpacked(frame_of(TEXT)) == TEXT


def test_an_intake_packs_what_was_captured_plain(project, stored):
    """The recorder knows nothing of it; what is read, the sizes and the digests are the same."""
    path = project / "replay.db"
    made = [recording(event=EVENT), unfinished(), with_calls(), *of_one_sandbox()]
    capture_parts(path, *made)
    plain = kept(path)
    assert all(it.startswith(b"{") for it in plain)
    store = stored()
    assert all(it.startswith(MAGIC) for it in kept(path) if len(unpacked(it)) > 700)
    assert [unpacked(it) for it in kept(path)] == plain
    assert sum(map(len, kept(path))) < sum(map(len, plain)) * 0.8
    assert {one.id: one for one in store.find(Selection())} == {one.id: one for one in made}
    ((size_bytes,),) = query(path, "SELECT size_bytes FROM recording WHERE id = ?", made[0].id)
    assert size_bytes == sum(len(part.payload) for part in made[0].parts())


@pytest.mark.parametrize("times", [1, 2])
def test_a_store_of_packed_payloads_travels_as_a_plain_one(project, replay, times):
    """An export of it, a copy of its file and an import of that are those of the plain store."""
    made = [recording(event=EVENT), with_calls()]
    capture_parts(project / "plain.db", *made)
    shutil.copy(project / "plain.db", project / "packed.db")
    for _ in range(times):
        assert replay("list", "--store", "packed.db").returncode == 0
    for name in ("plain", "packed"):
        done = replay("import", f"{name}.db", "--store", f"from-{name}.db")
        assert (done.returncode, "imported 2" in done.stderr) == (0, True), done.stderr
        replay("export", "--store", f"from-{name}.db", "-o", f"{name}.jsonl")
        assert any(it.startswith(MAGIC) for it in kept(project / f"from-{name}.db"))
    assert (project / "plain.jsonl").read_bytes() == (project / "packed.jsonl").read_bytes()
    assert replay("doctor", "--store", "packed.db").returncode == 0


def test_what_an_older_version_has_stored_is_packed_when_it_is_derived_again(project, replay):
    """Until then it is read as it is, beside what is packed."""
    path = Path(shutil.copy(STORES / "0004.sqlite", project / "replay.db"))
    path.chmod(0o600)
    large = recording(event=EVENT)
    capture_parts(path, large)
    assert replay("upgrade").returncode == 0
    begun = large.parts()[0].payload  # as an older version would have left it
    query(path, "UPDATE part SET payload = ? WHERE id = ? AND kind = 'begun'", begun, large.id)
    before = replay("export").stdout
    assert not any(it.startswith(MAGIC) for it in kept(path))
    query(path, "UPDATE recording SET digest = 'x'")
    replay("doctor", "--fix")
    assert replay("doctor").returncode == 0
    assert any(it.startswith(MAGIC) for it in kept(path))
    assert replay("export").stdout == before


def test_what_has_changed_since_it_was_read_is_not_replaced(project):
    """Redacted meanwhile, deleted, or another part by now: nothing is put in its place."""
    from replay.store import shrink

    path = project / "replay.db"
    one, other = recording(event=EVENT), recording(event={"other": 1})
    capture_parts(path, one)
    (begun, ended) = kept(path)
    part = one.parts()[0]
    was = Smaller(1, one.id, part.crc, packed(begun), len(begun))
    changes = (
        Smaller(1, other.id, was.crc, was.payload, was.size_bytes),
        Smaller(1, one.id, was.crc + 1, was.payload, was.size_bytes),
        Smaller(2, one.id, was.crc, was.payload, was.size_bytes),
        Smaller(1, one.id, was.crc, was.payload, was.size_bytes - 1),
    )
    with closing(Store.open(str(path))) as store:
        query(path, "UPDATE part SET payload = ? WHERE n = 1", begun)
        for change in changes:
            store._database.write(partial(shrink.write, [change]))
            assert kept(path)[0] == begun
        store._database.write(partial(shrink.write, [was]))
    assert kept(path)[0] == packed(begun)
    assert ended


@given(st.lists(st.integers(1, 2**20), max_size=200))
def test_a_transaction_replaces_few_payloads_and_few_bytes(sizes):
    """One alone may be greater; none is left out."""
    some = [Smaller(n, "", 0, b"", size) for n, size in enumerate(sizes)]
    found = list(portions(some))
    assert [it for portion in found for it in portion] == some
    for portion in found:
        assert len(portion) <= 64
        assert len(portion) == 1 or sum(it.size_bytes for it in portion) <= 2**19


def test_a_purge_leaves_no_frame_that_holds_what_was_deleted(project, replay):
    """Nor does a redaction: what lies packed in a file is looked into."""
    path = project / "replay.db"
    made = [
        recording(event={"note": "planted-secret-1", "pad": "x" * 4_000}),
        recording(event=EVENT),
    ]
    capture_parts(path, *made)
    replay("list")
    query(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    query(path, "VACUUM")
    assert b"planted-secret-1" not in path.read_bytes()
    assert b"planted-secret-1" in content_of(path)  # positive control: it lies there packed
    assert replay("redact", "--rule", "note", "--yes").returncode == 0
    assert [it.name for it in project.iterdir() if b"planted-secret-1" in content_of(it)] == []
    pseudonym = replay("show", made[0].id, "--json").stdout
    assert "planted-secret-1" not in pseudonym
    assert any(it.startswith(MAGIC) for it in kept(path))
    assert replay("prune", made[0].id, "--purge", "--yes").returncode == 0
    assert replay("doctor").returncode == 0


def test_a_frame_whose_bytes_have_changed_costs_its_recording_alone(project, replay):
    """It is named by every command that reads it; doctor sees it, in whichever part."""
    path = project / "replay.db"
    made = [recording(event=EVENT) for _ in range(3)]
    capture_parts(path, *made)
    replay("list")
    frame = bytearray(kept(path)[2])
    frame[len(frame) // 2] ^= 4
    query(path, "UPDATE part SET payload = ? WHERE n = 3", bytes(frame))
    for command in (["doctor"], ["export"], ["import", "replay.db", "--store", "new.db"]):
        done = replay(*command)
        assert done.returncode == 2
        assert made[1].id in done.stdout + done.stderr
    with closing(Store.open(str(project / "new.db"))) as store:
        assert {one.id for one in store.find(Selection())} == {made[0].id, made[2].id}


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [2, pytest.param(20, marks=pytest.mark.long)])
def test_who_captures_while_it_is_packed_spools_nothing(project, seconds):
    """The transactions are so short that a capturing process need not spool."""
    path = project / "replay.db"
    capture_parts(path, *(recording(event={"n": n, "text": "x" * 30_000}) for n in range(300)))
    process = subprocess.Popen(
        [sys.executable, "-c", CAPTURING, str(path)], stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    ends = threading.Timer(seconds, process.kill)
    ends.start()
    try:
        while process.poll() is None:
            with closing(Store.open(str(path))):
                pass
    finally:
        ends.join()
        process.stdout.close()
    assert not list(project.glob("*.spool*"))
    with closing(Store.open(str(path))) as store:
        assert not [it for it in store.find(Selection()) if isinstance(it, DamagedError)]


KILLED = """
import os, signal, sys
from replay.store import shrink
from replay.store.store import Store

left = [int(sys.argv[2])]
write = shrink.write

def write_and_die(some, connection):
    write(some, connection)
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)

shrink.write = write_and_die
Store.open(sys.argv[1])
"""


@pytest.mark.slow
def test_a_kill_while_it_is_packed_loses_nothing(project):
    """Each part is there, plain or packed, and the next intake goes on."""
    path = project / "replay.db"
    made = [recording(event={"n": n, "text": "x" * 9_000}) for n in range(150)]
    capture_parts(path, *made)
    plain = kept(path)
    for number in (0, 1, 0):
        done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(number)], check=False)
        assert done.returncode == -9
        assert [unpacked(it) for it in kept(path)] == plain
    with closing(Store.open(str(path))) as store:
        assert sorted(one.id for one in store.find(Selection())) == [one.id for one in made]
    assert [unpacked(it) for it in kept(path)] == plain


def test_a_part_that_is_no_document_is_kept_as_it_is(project):
    """What a spool or a bucket brings may be anything: it is damage, plain or packed."""
    path = project / "replay.db"
    good = recording()
    capture_parts(path, good)
    odd = Part(new_ulid(), "begun", frame_of(TEXT))
    insert = "INSERT INTO part (id, kind, crc, payload) VALUES (?, ?, ?, ?)"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(insert, (odd.id, odd.kind, odd.crc, odd.payload))
    with closing(Store.open(str(path))) as store:
        found = list(store.find(Selection()))
    assert good in found
    assert sum(isinstance(one, DamagedError) for one in found) == 1
    assert odd.payload in kept(path)
