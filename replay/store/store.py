"""The store: recordings go in and come out as `Recording`; rows never leave this package.

Opening it takes in what the recorder has written since. A recording that cannot be read comes out
as the `DamagedError` that says why, in its place among the others.
"""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Connection

from replay.errors import DamagedError, UnknownError
from replay.fixture import Fixture
from replay.recording import Recording
from replay.store import earlier, field, intake, outgoing, reference, tags
from replay.store.arrival.inbox import Inbox
from replay.store.arrival.spooled import SpoolReport
from replay.store.engine.database import Database
from replay.store.engine.sqlite_error import damage_named
from replay.store.field import UNDECLARED, Lookup
from replay.store.intake import Progress
from replay.store.located import Located
from replay.store.opening import open_database
from replay.store.selection import Selection
from replay.store.summary import COLUMNS, Summary, summary_of

if TYPE_CHECKING:
    from replay.store.arrival.incoming import Prepared, Taken
    from replay.store.arrival.pulled import Pulled
    from replay.store.check import Check
    from replay.store.prune import Progress as Removing
    from replay.store.retention import Leaving, Retention
    from replay.store.rewrite import Change
    from replay.store.stats import Stats

Fixtures: TypeAlias = Generator[Fixture | DamagedError, None, None]
"""Recordings as they travel; closing it lets go of the store."""


class Store:
    """One store, opened; `spool` says what was taken from its spool on the way."""

    def __init__(self, database: Database, spool: SpoolReport, lookup: Lookup) -> None:
        self._database = database
        self._lookup = lookup
        self.spool = spool

    @property
    def name(self) -> str:
        """What messages call it: its path, or its address without the password."""
        return self._database.name

    @property
    def is_file(self) -> bool:
        """Whether it is a file of this machine, which holds no more than is written to it."""
        return self._database.files is not None

    @classmethod
    def open(
        cls,
        setting: str,
        *,
        progress: Progress | None = None,
        create: bool = False,
        lookup: Lookup = UNDECLARED,
    ) -> "Store":
        """Return the store that `setting` names, taken in; raises StoreError."""
        database, spool = open_database(setting, progress or intake.tell_nobody, create=create)
        return cls(database, spool, lookup)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def add(self, added: Recording) -> None:
        """Store a recording; one that the store has is left as it is."""
        from replay.store.arrival.incoming import prepared

        self.take([prepared(Fixture(added.id, added.parts()))])

    def get(self, id: str) -> Recording:
        """Return the recording of a full id; raises DamagedError, or ReplayError if unknown."""
        with self._database.snapshot() as connection:
            return self._read(connection, id)

    def _read(self, connection: Connection, id: str) -> Recording:
        with damage_named(id):
            return intake.read(id, self._located(connection, id))

    def _located(self, connection: Connection, id: str) -> list[Located]:
        row = reference.row_of(connection, id)
        return outgoing.locate(connection, row)

    def find(
        self, selection: Selection, only: Callable[[str], bool] = lambda _id: True
    ) -> Iterator[Recording | DamagedError]:
        """Yield the selected recordings whose id is one of `only`, newest first, some at a time."""
        sizes = self._matching(selection, "id, size_bytes")
        wanted = outgoing.portions(row for row in sizes if only(row[0]))
        yield from outgoing.recordings(self._database, wanted)

    def read(self, ids: Iterable[str]) -> Iterator[Recording | DamagedError]:
        """Yield the recordings of full ids, in the order of these, some at a time."""
        return outgoing.recordings(self._database, outgoing.sized(self._database, ids))

    def earlier(self, of: Recording, limit: int) -> list[tuple[int, str]]:
        """Return place and id of what its sandbox has seen before it, newest first."""
        rows = self._database.rows(earlier.query(of, limit))
        return [(place, id) for place, id in rows]

    def summaries(self, selection: Selection) -> list[Summary]:
        """Return summaries of the selected recordings, newest first."""
        return [summary_of(row) for row in self._matching(selection, COLUMNS)]

    def summaries_of(self, ids: Sequence[str]) -> list[Summary]:
        """Return summaries of recordings by their full ids, newest first; unknown ones left out."""
        pages = (Selection.of_ids(COLUMNS, page) for page in outgoing.chunks(sorted(ids)[::-1]))
        return [summary_of(row) for page in pages for row in self._database.rows(page)]

    def leaving(self, selection: Selection, rules: "Retention") -> "Leaving":
        """Return which of the selected recordings the rules let go; see retention.py."""
        from replay.store import retention

        found = self._matching(selection, retention.columns(rules))
        return retention.leaving(self._database, rules, map(retention.Candidate._make, found))

    def stats(self, selection: Selection) -> "Stats":
        """Return the selected recordings in numbers."""
        from replay.store import stats

        return stats.stats_of(
            self._database, selection, self.ids(selection) if selection.where else None
        )

    def ids(self, selection: Selection) -> Iterator[str]:
        """Yield the ids of the selected recordings, newest first."""
        return (row[0] for row in self._matching(selection, "id"))

    def checked(self, summaries: Sequence[Summary]) -> list[Summary]:
        """Return the summaries with `damage` where a part's checksum does not hold any more."""
        return [one for page in outgoing.chunks(summaries) for one in self._checked(page)]

    def _checked(self, page: Sequence[Summary]) -> Iterator[Summary]:
        read = outgoing.read(self._database, [one.id for one in page])
        damage = {id: str(found) for id, found in read if isinstance(found, DamagedError)}
        return (one._replace(damage=one.damage or damage.get(one.id)) for one in page)

    def fixtures(self, selection: Selection) -> Fixtures:
        """Yield the selected recordings as they travel, oldest first."""
        return self._outgoing(self.pages(selection))

    def fixtures_of(self, ids: Sequence[str]) -> Fixtures:
        """Yield the recordings of full ids as they travel, in the order of their ids."""
        return self._outgoing(outgoing.chunks(sorted(ids)))

    def _outgoing(self, pages: Iterable[Sequence[str]]) -> Fixtures:
        for ids in pages:
            yield from (found for _, found in outgoing.read(self._database, ids))

    def take(self, batch: "Sequence[Prepared]") -> "Taken":
        """Store a batch of fixtures, in one transaction; what the store has is left as it is."""
        from replay.store.arrival import incoming

        return self._database.write(partial(incoming.take, batch=batch))

    def pages(self, selection: Selection) -> Iterator[Sequence[str]]:
        """Yield the ids of the selected recordings, oldest first, some at a time."""
        if selection.limit is None and not selection.where:
            return outgoing.pages(self._database, selection)
        # A limit counts from the newest.
        return outgoing.chunks(list(self.ids(selection))[::-1])

    def digests(self, ids: Sequence[str]) -> dict[str, str | None]:
        """Return the digests of those of `ids` that it has, None where it is damaged."""
        from replay.store.arrival import incoming

        with self._database.reading() as connection:
            return incoming.digests_of(connection, ids)

    def inbox(self) -> Inbox:
        """Return what takes parts that were shipped; `take_in` makes recordings of them."""
        return Inbox(self._database)

    def pulled(self, bucket: str) -> "Pulled":
        """Return which objects of a bucket were taken in already."""
        from replay.store.arrival.pulled import Pulled

        return Pulled(self._database, bucket)

    def take_in(self, progress: Progress) -> None:
        """Derive what is searched from the parts that came since."""
        intake.take_in_by_steps(self._database, progress)

    def audit(self, progress: Callable[[int, int | None], None]) -> "Iterator[Check]":
        """Yield what is to say of the parts and of what is derived from them."""
        from replay.store import audit  # 10 ms, for the doctor alone

        return audit.examine(self._database, progress)

    def derive_again(self, progress: Progress) -> None:
        """Drop what is derived and derive it from the parts; tags stay."""

        def derive(connection: Connection) -> None:
            intake.forget(connection)
            intake.take_in(connection, progress)

        self._database.write(derive)

    def remove(self, *ids: str, progress: "Removing | None" = None, for_good: bool = False) -> None:
        """Delete recordings, their parts and their tags; see prune.py."""
        from replay.store import prune

        prune.remove(self._database, ids, progress or intake.tell_nobody, for_good=for_good)

    def copies_with(self, gone: Collection[str]) -> list[str]:
        """Return where copies are that may hold `gone`, or what the store has no more."""
        kept = frozenset(self.ids(Selection())).difference(gone)
        return self._database.copies(gone, kept)

    def erase(self, ids: Sequence[str], copies: Collection[str]) -> tuple[str, ...]:
        """Take the bytes of what was deleted out of the store for good; see erase.py."""
        return self._database.erase(ids, copies)

    def would_change(self, id: str, change: "Change") -> bool:
        """Whether `change` changes a recording; raises DamagedError, or ReplayError if unknown."""
        from replay.store import rewrite

        return rewrite.changed_of(self._database, id, change) is not None

    def change(self, id: str, change: "Change") -> None:
        """Write a recording's parts as `change` has them; see rewrite.py."""
        from replay.store import rewrite

        parts = rewrite.changed_of(self._database, id, change)
        if parts is not None:
            rewrite.rewrite(self._database, parts)

    def tags(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the tags of those of `ids` that have some."""
        with self._database.reading() as connection:
            return tags.of(connection, ids)

    def add_tags(self, tagged: Mapping[str, Sequence[str]]) -> None:
        """Give recordings the tags that are named for their ids, all in one transaction."""
        rows = [(id, name) for id, names in tagged.items() for name in names]
        if rows:
            self._database.write(partial(tags.add, rows=rows))

    def tag(self, ids: Sequence[str], *, add: Sequence[str], remove: Sequence[str]) -> None:
        """Give and take tags, all in one transaction; their names have been checked."""
        rows = [(id, name) for id in ids for name in add]

        def write(connection: Connection) -> None:
            tags.add(connection, rows)
            for id in ids if remove else ():
                tags.remove(connection, id, remove)

        self._database.write(write)

    def resolve(self, text: str) -> tuple[str, ...]:
        """Return the ids that an argument means; several for a request id with several attempts.

        Takes a full id, a tail of 4 or more characters, a request id, `@latest` or `@N`, the Nth
        newest. Raises ReplayError where it is unknown or ambiguous, listing the candidates.
        """
        with self._database.reading() as connection:
            return reference.resolve(connection, text)

    def _matching(self, selection: Selection, columns: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of the selected recordings, newest first; the first column is `id`."""
        wanted = field.narrowed(self._database, selection, self._lookup)
        rows = outgoing.rows(self._database, wanted, columns)
        if selection.where:
            rows = (row for row in rows if self._has_values(row[0], wanted))
        return islice(rows, selection.limit)

    def _has_values(self, id: str, selection: Selection) -> bool:
        from replay.store import where  # with what it imports 30 ms, for this one filter

        if not selection.fields:
            self._lookup.scanning(selection.where[0][0])
        try:
            return where.has_values(self.get(id), selection.where)
        except (DamagedError, UnknownError):
            return False
