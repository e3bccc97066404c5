"""`replay doctor`: look at everything that can be wrong with a store, and say what to do."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from replay.cli.command import (
    JsonOption,
    StoreOption,
    answering,
    opened,
    out,
    print_json,
    read_settings,
    say,
)
from replay.cli.progress import Bar
from replay.errors import MISUSE, StoreError
from replay.report.pieces import escaped
from replay.settings import Settings
from replay.store.check import Check
from replay.store.doctor import examine_store

FixOption = Annotated[
    bool, typer.Option("--fix", help="Derive what is derived again from the parts; tags stay.")
]
_STYLES = {"ok": "green", "warn": "yellow", "bad": "bold red"}


@answering
def doctor(
    *, fix: FixOption = False, store: StoreOption = None, as_json: JsonOption = False
) -> int:
    """Check a store: its files, its parts, and all that is derived from them."""
    settings = read_settings(store)
    checks = []
    for check in _examine(settings, fix=fix):
        checks.append(check)
        if not as_json:
            _print(check)
    if as_json:
        print_json([asdict(check) for check in checks])
    return MISUSE if any(check.level == "bad" for check in checks) else 0


def _examine(settings: Settings, *, fix: bool) -> Iterator[Check]:
    is_usable = True
    for check in examine_store(settings.store):
        is_usable = is_usable and (check.name, check.level) != ("store", "bad")
        yield check
    if not is_usable:
        return
    try:
        with opened(settings) as found_store:
            if fix:
                with Bar("deriving") as bar:
                    found_store.derive_again(bar)
                say("derived every recording again from its parts")
            with Bar("checking") as bar:
                yield from found_store.audit(bar)
    except StoreError as error:
        yield Check("tables", "bad", error.message, error.hint)


def _print(check: Check) -> None:
    line = Text.assemble(
        (f"{check.level:4}", _STYLES[check.level]), f"  {check.name:10} {escaped(check.message)}"
    )
    if check.hint and check.level != "ok":
        line.append(f"; {escaped(check.hint)}", "dim")
    for detail in check.details:
        line.append(f"\n      {escaped(detail)}")
    out().print(line)
