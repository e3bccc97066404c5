"""Intake beside a process that captures: transactions so short that nothing has to be spooled."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from calls import own_parts, with_calls, write
from databases import query
from test_store import recording

from replay.recorder import spool
from replay.recorder.journal import Journal
from replay.recorder.ulid import new_ulid
from replay.recording import Part
from replay.store.selection import Selection
from replay.store.spool import read
from replay.store.store import Store


def many_parts(recordings: int) -> list[Part]:
    """The parts of so many recordings; a tenth of them have calls."""
    plain, calling = recording().parts(), own_parts(with_calls())
    found = []
    for n in range(recordings):
        id = new_ulid()
        found += [Part(id, one.kind, one.payload) for one in (plain if n % 10 else calling)]
    return found


@contextmanager
def capturing(path: Path) -> Iterator[None]:
    """A process that captures as fast as a busy function does, until the block ends."""
    child = os.fork()
    if child == 0:
        journal = Journal(str(path))
        begun = recording().parts()[0].payload
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        while True:
            journal.write(new_ulid(), "begun", begun, None)
            time.sleep(0.001)
    time.sleep(0.05)
    try:
        yield
    finally:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


def spooled(path: Path) -> int:
    places = [Path(place) for place in spool.spool_paths(str(path))]
    return sum(len(list(read(place))) for place in places if place.exists())


@pytest.mark.slow
@pytest.mark.parametrize(
    "recordings", [1_500, pytest.param(50_000, id="50000", marks=pytest.mark.long)]
)
def test_nothing_is_spooled_because_of_an_intake(tmp_path, recordings):
    """The first one, which makes the tables too; 25 ms is all that a capturing process waits."""
    parts = many_parts(recordings)
    counts = []
    for attempt in range(3):  # a busy machine may suspend whoever holds the lock
        path = tmp_path / f"{attempt}.db"
        write(path, parts)
        query(path, "PRAGMA journal_mode = WAL")
        with capturing(path), closing(Store.open(str(path))) as store:
            found = list(store.ids(Selection()))
        assert {one.id for one in parts} <= set(found)
        counts.append(spooled(path))
        if counts[-1] == 0:
            break
    assert counts[-1] == 0, counts


@pytest.mark.slow
def test_processes_that_take_in_at_once_leave_each_recording_once(tmp_path):
    """Each takes what the others have not, also out of the spool."""
    path = tmp_path / "replay.db"
    parts = many_parts(600)
    write(path, parts[:900])
    for one in parts[800:]:
        spool.append(str(path), one.id, one.kind, one.payload)
    children = []
    for _ in range(4):
        children.append(os.fork())
        if children[-1] == 0:
            with closing(Store.open(str(path))):
                os._exit(0)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    rows = query(path, "SELECT id, kind, crc FROM part")
    assert len(rows) == len(set(rows)) == len(parts)
    with closing(Store.open(str(path))) as store:
        checks = {one.name: one.level for one in store.audit(lambda *_: None)}
    assert set(checks.values()) == {"ok"}


@pytest.mark.slow
def test_one_transaction_for_all_would_have_parts_spooled(tmp_path):
    """Positive control: what `replay doctor --fix` does, which must be whole or not at all."""
    path = tmp_path / "replay.db"
    write(path, many_parts(1_500))
    query(path, "PRAGMA journal_mode = WAL")
    with closing(Store.open(str(path))) as store, capturing(path):
        store.derive_again(lambda *_: None)
    assert spooled(path) > 0
