"""Recordings on their way into a store: taken in batches, counted, and what is refused named."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from replay.cli.command import opened, say, say_error
from replay.cli.filters import check_ids_or_filters, nothing_matches, resolved
from replay.cli.progress import Bar
from replay.errors import MISUSE, DamagedError, ReplayError
from replay.fixture import ID, Fixture
from replay.settings import Settings
from replay.store.arrival.incoming import Prepared, Taken, batches, prepared
from replay.store.selection import Selection
from replay.store.store import Store


@dataclass(frozen=True, slots=True)
class Wish:
    """Which recordings of a store are to be copied: by ids, or by filters; all, without them."""

    ids: Sequence[str] | None
    wanted: Selection
    allow_empty: bool


def copy_between(source: Settings, target: Settings, wish: Wish, *, done: str) -> int:
    """Copy recordings from one store into another, and say how many were `done`; an exit code."""
    transfer = Transfer()
    with opened(source) as from_store, opened(target, create=True) as to_store:
        transfer.copy(from_store, to_store, wish)
        say(f"{done} {transfer.told}")
    return MISUSE if transfer.refused else 0


class Transfer:
    """Takes recordings into stores; knows what has become of them so far."""

    def __init__(self) -> None:
        self.refused = 0
        self._taken = Taken()

    def take(self, store: Store, found: Iterable[Fixture | DamagedError], bar: Bar) -> None:
        """Take what can be read; name the rest."""
        for batch in batches(self._sound(found)):
            taken = store.take(batch)
            for conflict in taken.conflicts:
                self.refuse(conflict)
            self._taken.add(taken)
            bar(self._taken.new + self._taken.known + self.refused, None)

    def copy(self, source: Store, target: Store, wish: Wish) -> None:
        """Copy what is wished for, and the tags of all that."""
        check_ids_or_filters(wish.ids, wish.wanted)
        if source.name == target.name:
            raise ReplayError(f"{source.name} is both stores", "name another one")
        pages = [resolved(source, wish.ids)] if wish.ids else source.pages(wish.wanted)
        with Bar("copying") as bar:
            self.take(target, self._lacking(source, target, pages), bar)
        if not (self._taken.new or self._taken.known or self.refused or wish.allow_empty):
            raise nothing_matches()

    def _lacking(
        self, source: Store, target: Store, pages: Iterable[Sequence[str]]
    ) -> Iterator[Fixture | DamagedError]:
        """Yield what the target does not have as the source has it."""
        for page in (list(self._named(ids)) for ids in pages):
            theirs, ours = target.digests(page), source.digests(page)
            known = [id for id in page if ours.get(id) is not None and theirs.get(id) == ours[id]]
            self._taken.known += len(known)
            target.add_tags(source.tags(known))
            yield from source.fixtures_of(sorted(set(page).difference(known)))

    def refuse(self, error: ReplayError) -> None:
        """Name what cannot be taken, and count it."""
        say_error(error)
        self.refused += 1

    @property
    def told(self) -> str:
        """What has become of the recordings, in words."""
        taken = self._taken
        words = f"{taken.new:,} recordings; the store had {taken.known:,} already"
        if taken.completed:
            words += f", {taken.completed:,} of them unfinished until now"
        if taken.replaced:
            words += f", {taken.replaced:,} of them redacted since"
        return words + (f"; {self.refused:,} not taken" if self.refused else "")

    def _named(self, ids: Iterable[str]) -> Iterator[str]:
        """Yield the ids that can be those of recordings; damage may have left any."""
        for id in ids:
            if ID.fullmatch(id):
                yield id
            else:
                self.refuse(DamagedError(f"recording {id}: its id is no ULID", "replay doctor"))

    def _sound(self, found: Iterable[Fixture | DamagedError]) -> Iterator[Prepared]:
        for one in found:
            try:
                if isinstance(one, DamagedError):
                    raise one
                yield prepared(one)
            except DamagedError as error:
                self.refuse(error)
