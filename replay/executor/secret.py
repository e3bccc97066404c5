"""`--secret`: true values for one replay, in the places of what was redacted, and nowhere else.

They are given to the handler, and taken out of all that is said of its replay.
"""

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace

from replay.errors import ReplayError
from replay.recording import Recording
from replay.replayer.case import Case
from replay.replayer.secret import given, stand_ins, substituted, table_of
from replay.replayer.verdict import Verdict

_FROM_VARIABLE = "env:"


def secrets_of(options: Iterable[str]) -> dict[str, str]:
    """Return what `--secret` gives, by name; raises ReplayError where one cannot be read."""
    return dict(_secret_of(option) for option in options)


def _secret_of(option: str) -> tuple[str, str]:
    name, equals, value = option.partition("=")
    if not name or not equals:
        raise ReplayError(
            f"--secret {name!r} has no value",
            "write --secret NAME=VALUE, or --secret NAME=env:VARIABLE",
        )
    if not value.startswith(_FROM_VARIABLE):
        return name, value
    variable = value.removeprefix(_FROM_VARIABLE)
    if variable not in os.environ:
        raise ReplayError(
            f"--secret {name}: the variable {variable} is not set", f"export {variable}=..."
        )
    return name, os.environ[variable]


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What warms a case, with the true values in it; `table` comes to hold them."""

    found: Iterable[Recording]
    secrets: "Secrets"
    table: dict[str, str]

    def __iter__(self) -> Iterator[Recording]:
        return (self.secrets.given_to(it, self.table) for it in self.found)


@dataclass(slots=True)
class Secrets:
    """The secrets of one run."""

    values: Mapping[str, str] = field(default_factory=dict)
    _waiting: deque[tuple[Recording, dict[str, str]]] = field(default_factory=deque, init=False)
    _used: set[str] = field(default_factory=set, init=False)
    _known: set[str] = field(default_factory=set, init=False)

    def given(self, cases: Iterator[Case]) -> Iterator[Case]:
        """Yield the cases with the true values in them."""
        if not self.values:
            yield from cases
            return
        for case in cases:
            table = table_of(case.recording, self.values)
            names = stand_ins(case.recording)
            self._known |= {name for name in names.values() if name}
            self._used |= {names[pseudonym].lower() for pseudonym in table}
            self._waiting.append((case.recording, table))
            earlier = case.earlier and _Earlier(case.earlier, self, table)
            yield replace(case, recording=given(case.recording, table), earlier=earlier)

    def given_to(self, recording: Recording, table: dict[str, str]) -> Recording:
        """Return an earlier recording of the same sandbox with the true values in it."""
        own = table_of(recording, self.values)
        names = stand_ins(recording)
        self._used |= {names[pseudonym].lower() for pseudonym in own}
        table |= own
        return given(recording, own)

    def masked(self, verdicts: Generator[Verdict, None, None]) -> Generator[Verdict, None, None]:
        """Yield the verdicts, which come in the order of their cases, without the true values."""
        with closing(verdicts):
            for verdict in verdicts:
                yield self._masked(verdict) if self._waiting else verdict

    def _masked(self, verdict: Verdict) -> Verdict:
        recording, table = self._waiting.popleft()
        masked = substituted(verdict, {value: it for it, value in table.items()})
        return replace(masked, recording=recording)

    def refuse_unknown(self) -> None:
        """Raise ReplayError for a secret that no recording had a place for."""
        for name in self.values:
            if name.lower() not in self._used:
                known = ", ".join(sorted(self._known)) or "nothing"
                raise ReplayError(
                    f"--secret {name}: nothing of that name was redacted",
                    f"redacted were: {known}",
                )
