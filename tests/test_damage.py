"""Damaged at random: no crash, and every recording whose bytes have changed is named."""

import itertools
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from calls import with_calls
from databases import capture_parts, query
from test_store import recording, unfinished

from replay.errors import StoreError
from replay.fixture import Fixture, fixture_line
from replay.outcome import Raised
from replay.recorder import spool
from replay.recording import Recording
from replay.store import located
from replay.store.packing import PackingError, packed, unpacked
from replay.store.selection import Selection
from replay.store.store import Store

PAGE = 4096
TABLE_LEAF = 13
"""How SQLite marks a page with rows of a table."""
REFUSALS = (
    "is damaged",
    "is no database",
    "cannot be used",
    "no store",
    "cannot be read as a store",
)
COMMANDS = (
    ("list",),
    ("show", "@latest"),
    ("export", "-o", "out.jsonl", "--allow-empty", "--force"),
    ("doctor",),
)


@dataclass(frozen=True)
class Original:
    """A sound store with its WAL, its spool and its export, and what is in them.

    In `folded` there is the same store without a WAL, so that every page of the file counts.
    """

    folder: Path
    folded: Path
    recordings: tuple[Recording, ...]
    spooled: tuple[Recording, ...]
    rows: dict[int, tuple[object, ...]]


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Original:
    """Payloads of one page and of several; half of the parts are in the WAL."""
    folder = tmp_path_factory.mktemp("original")
    path = folder / "replay.db"
    ids = (f"01m81fw1gk0008m74ctc{n:06}" for n in range(100))  # the same in each run
    made = [
        *(recording(next(ids), {"n": n, "text": "x" * 40 * n}) for n in range(6)),
        *(recording(next(ids), {"n": n, "text": "y" * 9000}) for n in range(3)),
        recording(next(ids), outcome=Raised("KeyError", "'a'")),
        *(unfinished(next(ids)), unfinished(next(ids))),
        *(with_calls(id=next(ids), sandbox_id="s-1"), with_calls(id=next(ids), sandbox_id="s-2")),
    ]
    capture_parts(path, *made[:6])
    with closing(Store.open(str(path))) as store:
        store.tag([made[0].id], add=["keep"], remove=[])
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM part").fetchone()
    capture_parts(path, *made[6:])
    with closing(Store.open(str(path))):
        pass
    whole = folder / "whole"
    whole.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(folder / f"replay.db{suffix}", whole / f"replay.db{suffix}")
    rows = query(path, "SELECT n, id, kind, crc, payload FROM part")
    reader.close()
    folded = Path(shutil.copytree(whole, folder / "folded"))
    query(folded / "replay.db", "PRAGMA wal_checkpoint(TRUNCATE)")
    late = (recording(next(ids)), recording(next(ids)))
    for part in [part for one in late for part in one.parts()]:
        spool.append(str(whole / "replay.db"), part.id, part.kind, part.payload)
    lines = [fixture_line(Fixture(one.id, one.parts())) for one in made]
    (whole / "all.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return Original(whole, folded, tuple(made), late, {row[0]: row for row in rows})


class AnyNumber:
    """Equal to every checksum."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


def flip(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 3, 20))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def truncate(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(1, len(content)) :]


def zero_page(content: bytearray, chance: random.Random) -> None:
    start = PAGE * chance.randrange(max(1, len(content) // PAGE))
    content[start : start + PAGE] = bytes(len(content[start : start + PAGE]))


def garbage(content: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(content))
    length = chance.randrange(1, 300)
    content[start : start + length] = chance.randbytes(length)


def cut_lines(content: bytearray, chance: random.Random) -> None:
    lines = content.split(b"\n")
    n = chance.randrange(len(lines))
    lines[n] = lines[n][: chance.randrange(len(lines[n]) + 1)]
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    lines.insert(chance.randrange(len(lines)), chance.randbytes(20).replace(b"\n", b""))
    content[:] = b"\n".join(lines)


HARMS: list[tuple[str, Callable[[bytearray, random.Random], None]]] = [
    *[("replay.db", harm) for harm in (flip, flip, truncate, zero_page, garbage)],
    *[("replay.db-wal", harm) for harm in (flip, truncate, garbage)],
    *[("replay.db.spool", harm) for harm in (flip, cut_lines)],
    *[("all.jsonl", harm) for harm in (flip, truncate, garbage, cut_lines)],
]


def damage(original: Original, folder: Path, seed: int) -> str:
    """Put a damaged copy of everything into `folder`; return the name of the file that was hurt."""
    for file in folder.iterdir():
        file.unlink()
    name, harm = HARMS[seed % len(HARMS)]
    source = original.folded if name == "replay.db" else original.folder
    for file in source.iterdir():
        shutil.copy(file, folder / file.name)
    content = bytearray((folder / name).read_bytes())
    harm(content, random.Random(seed))
    (folder / name).write_bytes(content)
    return name


def changed(original: Original, folder: Path, tmp: Path) -> set[str]:
    """Ids of the recordings in the index of which a part is not what it was, read raw."""
    for suffix in ("", "-wal", "-shm"):
        (tmp / f"truth.db{suffix}").unlink(missing_ok=True)
        if (folder / f"replay.db{suffix}").exists():
            shutil.copy(folder / f"replay.db{suffix}", tmp / f"truth.db{suffix}")
    listed = raw(tmp, "SELECT id FROM recording")
    known = {row[0] for row in listed or []}
    found = set()
    for n, row in original.rows.items():
        now = raw(tmp, "SELECT n, id, kind, crc, payload FROM part WHERE n = ?", n)
        if [plain(it) for it in now or []] != [plain(row)] and (now or row[1] in known):
            found.add(str(row[1]))
    return found


def plain(row: tuple[object, ...]) -> tuple[object, ...]:
    """A row of `part` with its payload unpacked; what unpacks to the same is the same."""
    *rest, kept = row
    try:
        return (*rest, unpacked(kept) if isinstance(kept, bytes) else kept)
    except PackingError:
        return (*rest, None)


def raw(tmp: Path, statement: str, *values: object) -> list[tuple[object, ...]] | None:
    try:
        return query(tmp / "truth.db", statement, *values)
    except (sqlite3.Error, OverflowError, UnicodeDecodeError):
        return None


def check_store(original: Original, folder: Path, tmp: Path, replay, seed: int) -> None:
    """Run every command on a damaged store; what has changed is named, or all is refused."""
    ids = changed(original, folder, tmp)
    imported = replay("import", "replay.db", "--store", "new.db")
    spoken = [imported, *(replay(*command) for command in COMMANDS)]
    for done in spoken:
        said = done.stdout + done.stderr
        assert done.returncode in (0, 2), (seed, done.args, said)
        assert "Traceback" not in said, (seed, done.args, said)
        is_refused = any(f"replay.db {words}" in said for words in REFUSALS)
        if "show" not in done.args and not is_refused:
            assert [id for id in ids if id not in said] == [], (seed, done.args, said)
            assert done.returncode == 2 or not ids, (seed, done.args, said)


def check_export(original: Original, folder: Path, replay, seed: int) -> None:
    """Import a damaged export: each line that has changed is named, all the others are taken."""
    sound = set((original.folder / "all.jsonl").read_bytes().split(b"\n"))
    done = replay("import", "all.jsonl", "--store", "new.db")
    assert done.returncode in (0, 2), (seed, done.stderr)
    assert "Traceback" not in done.stderr, (seed, done.stderr)
    lines = (folder / "all.jsonl").read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if line.strip() and line not in sound:
            assert f"all.jsonl line {number}:" in done.stderr, (seed, done.stderr)
            for one in original.recordings:
                if b'"id":"%b"' % one.id.encode() in line[:60]:
                    assert one.id in done.stderr, (seed, done.stderr)
    with closing(Store.open(str(folder / "new.db"), create=True)) as store:
        for one in original.recordings:
            if fixture_line(Fixture(one.id, one.parts())) in lines:
                assert one == store.get(one.id), seed


def check_spool(original: Original, folder: Path, replay, seed: int) -> None:
    """Take a damaged spool in: a part whose line has changed is named, or left for nobody."""
    lines = (folder / "replay.db.spool").read_bytes().split(b"\n")
    sound = set((original.folder / "replay.db.spool").read_bytes().split(b"\n"))
    hurt = [line for line in lines if line.strip() and line not in sound]
    done = replay("list")
    assert done.returncode in (0, 2), (seed, done.stderr)
    assert ("damaged" in done.stderr) == bool(hurt), (seed, done.stderr)
    for one in original.spooled:
        if any(one.id.encode() in line.split(b" ")[1:2] for line in hurt):
            assert one.id in done.stderr, (seed, done.stderr)
    assert replay("doctor").returncode in (0, 2)


def check(original: Original, folder: Path, tmp: Path, replay, seed: int) -> None:
    name = damage(original, folder, seed)
    if name == "all.jsonl":
        check_export(original, folder, replay, seed)
    elif name == "replay.db.spool":
        check_spool(original, folder, replay, seed)
    else:
        check_store(original, folder, tmp, replay, seed)


@pytest.mark.slow
@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(14), id="from 0"),
        pytest.param(range(14, 28), id="from 14", marks=pytest.mark.long),
        *[
            pytest.param(range(n, n + 25), id=f"from {n}", marks=pytest.mark.long)
            for n in range(28, 302, 25)
        ],
    ],
)
def test_damage_at_random_crashes_nothing_and_is_named(original, project, tmp_path, replay, seeds):
    """302 stores, WALs, spools and exports; a few of them in each run."""
    for seed in seeds:
        check(original, project, tmp_path, replay, seed)


def test_a_walk_through_rows_out_of_order_comes_to_an_end(original, project):
    """A page of parts that was written to the place of the next leads back to where it was."""
    content = (original.folded / "replay.db").read_bytes()
    path = project / "replay.db"
    said = []
    leaves = [
        n
        for n in range(PAGE, len(content), PAGE)
        if content[n] == TABLE_LEAF and b'{"format":1,' in content[n : n + PAGE]
    ]
    for from_, start in itertools.pairwise(leaves):
        leaf = content[from_ : from_ + PAGE]
        path.write_bytes(content[:start] + leaf + content[start + PAGE :])
        for act in (
            lambda store: said.extend(check.message for check in store.audit(lambda *_: None)),
            lambda store: said.append(len(list(store.fixtures(Selection())))),
            lambda store: said.append(len(list(store.find(Selection())))),
            lambda store: store.derive_again(lambda *_: None),
        ):
            with suppress(StoreError), closing(Store.open(str(path))) as store:
                act(store)
    assert any("out of order" in str(one) for one in said)


def test_what_is_sound_is_not_named(original, project, tmp_path, replay):
    """Positive control: every command succeeds on the copies before they are damaged."""
    damage(original, project, 0)
    for file in original.folder.iterdir():
        shutil.copy(file, project / file.name)
    assert changed(original, project, tmp_path) == set()
    for command in (*COMMANDS, ("import", "all.jsonl"), ("import", "replay.db", "--store", "n.db")):
        done = replay(*command)
        assert done.returncode == 0, (command, done.stderr)


@pytest.mark.slow
def test_without_checksums_damage_would_pass_unnamed(
    original, project, tmp_path, replay, monkeypatch
):
    """Positive control: the test above can fail."""
    shutil.copy(original.folded / "replay.db", project / "replay.db")
    ((n, kept),) = query(project / "replay.db", "SELECT n, payload FROM part WHERE n = 3")
    changed = packed(unpacked(kept).replace(b"xxxx", b"xxyx", 1))
    query(project / "replay.db", "UPDATE part SET payload = ? WHERE n = ?", changed, n)
    check_store(original, project, tmp_path, replay, 0)
    monkeypatch.setattr(located, "part_crc", lambda *_: AnyNumber())
    with pytest.raises(AssertionError):
        check_store(original, project, tmp_path, replay, 0)
