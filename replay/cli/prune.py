"""`replay prune`: delete recordings; with `--purge`, their bytes as well."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from replay.cli.command import (
    JsonOption,
    StoreOption,
    answering,
    opened,
    print_json,
    print_pieces,
    read_settings,
    say,
)
from replay.cli.consent import YesOption, is_wanted
from replay.cli.filters import (
    AllowEmptyOption,
    IdsArgument,
    check_ids_or_filters,
    filtered,
    nothing_matches,
    resolved,
)
from replay.cli.progress import Bar
from replay.cli.retention import retaining
from replay.errors import MISUSE, ReplayError
from replay.report.pieces import bytes_text, escaped
from replay.store.retention import Retention
from replay.store.selection import Selection
from replay.store.store import Store
from replay.store.summary import Summary

AllOption = Annotated[bool, typer.Option("--all", help="All recordings.")]
PurgeOption = Annotated[
    bool,
    typer.Option(
        "--purge",
        help="Remove the bytes for good, also of what was pruned before, and copies that may hold"
        " them: backups of an upgrade, files set aside.",
    ),
]
_MAX_SHOWN = 20
_GONE = {
    True: "no file beside the store holds them any more",
    False: "what the server keeps elsewhere - its log, replicas, backups - is out of reach here",
}
"""What is to say after a purge, by whether the store is a file."""
_KEPT = "nothing is deleted yet: --yes deletes it"


@dataclass(frozen=True, slots=True)
class _Plan:
    """What leaves the store, newest first, and copies of the store that go with it.

    `sizes_bytes` are those of the parts by id, without the calls of a sandbox; `shown` are the
    first of them.
    """

    sizes_bytes: Mapping[str, int]
    shown: Sequence[Summary]
    copies: Sequence[str]
    purges: bool

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.sizes_bytes or self.purges)


@answering
@filtered
@retaining
def prune(
    ids: IdsArgument = None,
    *,
    wanted: Selection,
    rules: Retention,
    all_: AllOption = False,
    purge: PurgeOption = False,
    yes: YesOption = False,
    allow_empty: AllowEmptyOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Delete recordings with their tags: shown first, done with --yes or when asked."""
    is_selected = bool(ids) or not wanted.is_empty or wanted.limit is not None or rules.selects
    _check_selection(ids, wanted, is_selected=is_selected, all_=all_, purge=purge)
    _check_rules(ids, rules, is_selected=is_selected or all_)
    settings = read_settings(store)
    with opened(settings) as found_store:
        leaving = _leaving(found_store, ids, wanted, rules) if is_selected or all_ else {}
        if not leaving and not allow_empty and (is_selected or all_):
            _refuse_nothing(found_store, wanted, rules)
        plan = _plan(found_store, leaving, purges=purge)
        _show(plan, as_json=as_json)
        is_done = not plan.is_empty and (yes or is_wanted("delete this?", otherwise=_KEPT))
        left = _apply(found_store, plan) if is_done else ()
    if as_json:
        print_json({**_document(plan), "is_done": is_done, "left": list(left)})
    return MISUSE if left else 0


def _check_selection(
    ids: Sequence[str] | None, wanted: Selection, *, is_selected: bool, all_: bool, purge: bool
) -> None:
    check_ids_or_filters(ids, wanted)
    if all_ and is_selected:
        raise ReplayError("--all and a selection were both given", "name one of them")
    if not (all_ or is_selected or purge):
        raise ReplayError(
            "neither ids nor filters say what to delete", "all of them: replay prune --all"
        )


def _check_rules(ids: Sequence[str] | None, rules: Retention, *, is_selected: bool) -> None:
    if ids and not rules.is_empty:
        raise ReplayError(
            "ids and rules of retention were both given", "use filters beside the rules"
        )
    if not (rules.is_empty or is_selected):  # beside --purge, which selects nothing
        raise ReplayError(
            "nothing says of what recordings to keep some", "of all: replay prune --all"
        )


def _refuse_nothing(store: Store, wanted: Selection, rules: Retention) -> None:
    """Raise ReplayError where nothing is selected; that nothing has to go is no error."""
    if rules.is_empty or next(store.ids(wanted), None) is None:
        raise nothing_matches()


def _leaving(
    store: Store, ids: Sequence[str] | None, wanted: Selection, rules: Retention
) -> Mapping[str, int]:
    """Return what is to go: whatever selects, it ends in ids with the sizes of their parts."""
    if not ids:
        leaving = store.leaving(wanted, rules)
        if rules.max_bytes is not None and leaving.left_bytes > rules.max_bytes:
            left = bytes_text(leaving.left_bytes)
            say(f"{left} stay, more than --max-bytes: of what is selected, the rules keep the rest")
        return leaving.sizes_bytes
    return {one.id: one.size_bytes or 0 for one in store.summaries_of(resolved(store, ids))}


def _plan(store: Store, leaving: Mapping[str, int], *, purges: bool) -> _Plan:
    shown = store.summaries_of(list(leaving)[:_MAX_SHOWN])
    return _Plan(leaving, shown, store.copies_with(leaving) if purges else (), purges)


def _show(plan: _Plan, *, as_json: bool) -> None:
    if as_json:
        return
    for line in _lines(plan):
        print_pieces([(line, "")])


def _lines(plan: _Plan) -> Iterator[str]:
    for one in plan.shown:
        what = "damaged" if one.damage else one.outcome or "-"
        words = one.id[-8:], one.function_name or "-", what, *one.tags
        yield escaped(f"delete  {'  '.join(words)}")
    count = len(plan.sizes_bytes)
    if count > len(plan.shown):
        yield f"delete  {count - len(plan.shown):,} more"
    for file in plan.copies:
        yield escaped(f"delete  {file}, which may hold what is deleted")
    size = sum(plan.sizes_bytes.values()) / 2**20
    how = ", and their bytes for good" if plan.purges else ""
    yield f"{count:,} recordings, {size:,.1f} MiB{how}"


def _apply(store: Store, plan: _Plan) -> Sequence[str]:
    """Delete what is planned; return the files that hold some of it all the same."""
    ids = list(plan.sizes_bytes)
    with Bar("deleting") as bar:
        store.remove(*ids, progress=bar, for_good=plan.purges)
    if not plan.purges:
        say(f"deleted {len(ids):,} recordings; their bytes may stay in the file: --purge")
        return ()
    left = store.erase(ids, plan.copies)
    for file in left:
        say(f"error: {file} still holds what was deleted\nhint: replay prune --purge once more")
    if not left:
        say(f"deleted {len(ids):,} recordings; {_GONE[store.is_file]}")
    return left


def _document(plan: _Plan) -> dict[str, object]:
    return {
        "recordings": [
            {"id": id, "size_bytes": size_bytes} for id, size_bytes in plan.sizes_bytes.items()
        ],
        "copies": list(plan.copies),
        "purges": plan.purges,
    }
