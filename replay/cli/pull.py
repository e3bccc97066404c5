"""`replay pull`: what functions have shipped, or another store has, into the store."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import typer

from replay.cli.command import StoreOption, answering, opened, read_settings, say, say_error
from replay.cli.filters import AllowEmptyOption, IdsArgument, filtered
from replay.cli.progress import Bar
from replay.cli.transfer import Wish, copy_between
from replay.errors import MISUSE, DamagedError, ReplayError
from replay.recorder.export.bucket import SCHEME
from replay.recording import Part
from replay.settings import Settings
from replay.store.arrival.bucket import Bucket
from replay.store.arrival.inbox import Inbox
from replay.store.arrival.pulled import Pulled
from replay.store.arrival.shipment import is_shipment, parts_of
from replay.store.selection import Selection

SourceArgument = Annotated[
    str,
    typer.Argument(
        metavar="s3://BUCKET/PREFIX|STORE",
        help="Where REPLAY_EXPORT sends parts to; or a store: a path, postgresql+psycopg://...",
    ),
]


@dataclass(slots=True)
class _Counts:
    """What has become of objects and of their parts so far."""

    objects: int = 0
    new: int = 0
    known: int = 0
    refused: int = 0


@answering
@filtered
def pull(
    place: SourceArgument,
    ids: IdsArgument = None,
    *,
    wanted: Selection,
    allow_empty: AllowEmptyOption = False,
    store: StoreOption = None,
) -> int:
    """Take in what functions have shipped into a bucket, or another store's recordings."""
    settings = read_settings(store)
    if not place.startswith(SCHEME):
        wish = Wish(ids, wanted, allow_empty)
        return copy_between(replace(settings, store=place), settings, wish, done="pulled")
    if ids or not wanted.is_empty or wanted.limit is not None:
        raise ReplayError(
            "a bucket is pulled as a whole: what its objects hold is not known before",
            f"replay pull {place}, without ids and filters",
        )
    return _from_bucket(place, settings)


def _from_bucket(address: str, settings: Settings) -> int:
    bucket = Bucket(address)
    counts = _Counts()
    with opened(settings, create=True) as found_store, Bar("pulling") as bar:
        pulled = found_store.pulled(bucket.name)
        keys = list(_wanted(bucket, pulled, counts))
        try:
            inbox = found_store.inbox()
            for done, (key, body) in enumerate(bucket.bodies(keys), 1):
                if _take(inbox, key, body, counts):
                    pulled.add(key)
                bar(done, len(keys))
        finally:
            found_store.take_in(bar)
            _tell(counts)
    return MISUSE if counts.refused else 0


def _wanted(bucket: Bucket, pulled: Pulled, counts: _Counts) -> Iterator[str]:
    """Yield the keys of objects that are not in the store yet; name those that are none of ours."""
    for key in bucket.listed():
        if not is_shipment(key):
            _refuse(DamagedError(f"object {key}: no exporter gives such a name", _LEFT), counts)
        elif key not in pulled:
            yield key


_LEFT = "it is left alone; name a prefix that holds nothing else"


def _take(inbox: Inbox, key: str, body: bytes, counts: _Counts) -> bool:
    """Take in the parts of an object; False where some of them cannot be read."""
    try:
        found = parts_of(key, body)
    except DamagedError as error:
        _refuse(error, counts)
        return False
    parts = [it for it in found if isinstance(it, Part)]
    new = inbox.take(parts)
    counts.objects += 1
    counts.new += new
    counts.known += len(parts) - new
    for it in found:
        if isinstance(it, DamagedError):
            _refuse(it, counts)
    return len(parts) == len(found)


def _refuse(error: DamagedError, counts: _Counts) -> None:
    say_error(error)
    counts.refused += 1


def _tell(counts: _Counts) -> None:
    refused = f"; {counts.refused:,} not taken" if counts.refused else ""
    say(
        f"pulled {counts.objects:,} objects: {counts.new:,} parts; the store had"
        f" {counts.known:,} already{refused}"
    )
