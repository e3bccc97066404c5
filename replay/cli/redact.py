"""`replay redact`: redact what is stored, by rules that are newer than the recordings."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
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
    say_error,
)
from replay.cli.consent import YesOption, is_wanted
from replay.cli.filters import (
    AllowEmptyOption,
    IdsArgument,
    check_ids_or_filters,
    filtered,
    selected_ids,
)
from replay.cli.progress import Bar
from replay.errors import MISUSE, ReplayError, UnknownError
from replay.recorder.variable import active_rules
from replay.recording import Part
from replay.redaction.again import redacted_again
from replay.redaction.redactor import Rules
from replay.report.pieces import escaped
from replay.settings import STDOUT, Settings, is_server
from replay.store.selection import Selection
from replay.store.store import Store

RuleOption = Annotated[
    list[str] | None,
    typer.Option("--rule", help="A name pattern, a JSONPath, or ! and a pattern; may be repeated."),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Redact all that AWS has not filled in itself.")
]
_MAX_SHOWN = 20
_KEPT = "nothing is changed yet: --yes redacts it"


@dataclass(slots=True)
class _Found:
    """The recordings in which the rules find something, and how many could not be redacted."""

    ids: list[str] = field(default_factory=list)
    failed: int = 0


@answering
@filtered
def redact(
    ids: IdsArgument = None,
    *,
    wanted: Selection,
    rule: RuleOption = None,
    strict: StrictOption = False,
    yes: YesOption = False,
    allow_empty: AllowEmptyOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Redact stored recordings - all, without ids and filters: shown first, done with --yes."""
    check_ids_or_filters(ids, wanted)
    settings = read_settings(store)
    change = partial(redacted_again, rules=_rules(settings, rule or (), is_strict=strict))
    with opened(settings) as found_store:
        selected = selected_ids(found_store, ids, wanted, allow_empty=allow_empty)
        found = _look(found_store, selected, change)
        _show(found, as_json=as_json)
        is_done = bool(found.ids) and (yes or is_wanted("redact this?", otherwise=_KEPT))
        if is_done:
            _apply(found_store, found.ids, change)
    if as_json:
        print_json({"recordings": found.ids, "failed": found.failed, "is_done": is_done})
    return MISUSE if found.failed else 0


def _rules(settings: Settings, given: Sequence[str], *, is_strict: bool) -> Rules:
    """Return the rules of the settings and the options; `off` says what is captured, not this."""
    mode = "strict" if is_strict or settings.is_strict else "balanced"
    if is_server(settings.store):
        if not settings.redact_key:
            raise ReplayError(
                "pseudonyms are made with a key, and beside a server there is no file for one",
                "set REPLAY_REDACT_KEY, best to the key of those who capture",
            )
        settings = replace(settings, store=STDOUT)  # which has no file beside it either
    rules = (*settings.redact_rules, *given)
    return active_rules(replace(settings, redact=mode, redact_rules=rules), {})


def _look(store: Store, ids: Sequence[str], change: "partial[tuple[Part, ...] | None]") -> _Found:
    found = _Found()
    with Bar("looking") as bar:
        for done, id in enumerate(ids, start=1):
            try:
                if store.would_change(id, change):
                    found.ids.append(id)
            except UnknownError:
                pass  # another process has deleted it since it was selected
            except ReplayError as error:
                say_error(error)
                found.failed += 1
            bar(done, len(ids))
    return found


def _show(found: _Found, *, as_json: bool) -> None:
    if not as_json:
        for line in _lines(found):
            print_pieces([(escaped(line), "")])


def _lines(found: _Found) -> Iterator[str]:
    for id in found.ids[:_MAX_SHOWN]:
        yield f"redact  {id[-8:]}"
    if len(found.ids) > _MAX_SHOWN:
        yield f"redact  {len(found.ids) - _MAX_SHOWN:,} more"
    yield f"{len(found.ids):,} recordings hold what the rules find"


def _apply(store: Store, ids: Sequence[str], change: "partial[tuple[Part, ...] | None]") -> None:
    """Redact the recordings, and take the old bytes out of the store's files."""
    copies = store.copies_with(ids)
    with Bar("redacting") as bar:
        for done, id in enumerate(ids, start=1):
            with suppress(UnknownError):  # deleted meanwhile: there is nothing left to redact
                store.change(id, change)
            bar(done, len(ids))
    store.erase((), ())
    say(f"redacted {len(ids):,} recordings; their old bytes are gone from the store")
    for file in copies:
        _warn_of(file)


def _warn_of(file: str) -> None:
    say(f"{file} may hold what was there before: replay prune --purge deletes it")
