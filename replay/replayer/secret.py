"""The secrets of a recording in its replay: what stands in their places, and what needs true ones.

A redacted recording replays with pseudonyms in the places of its secrets. Most handlers hand them
on; one that verifies a signature with a true key cannot come to the same end. Pure.
"""

import dataclasses
import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

from replay.document import is_json
from replay.errors import ReplayError
from replay.recording import Recording
from replay.redaction.pseudonym import Pseudonyms
from replay.redaction.stand_in import WITHHELD

Value = TypeVar("Value")
_MOVED = Pseudonyms(lambda: b"the secret factor, moved")
_UNNAMED = "a redacted value"
_MIN_LENGTH = 4
"""A shorter pseudonym stands in texts by chance."""
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


class NeedsSecretError(ReplayError):
    """A replay differs because it was given a pseudonym: `names` tell of which secrets."""

    def __init__(self, names: Iterable[str], id: str) -> None:
        named = sorted(set(names))
        super().__init__(
            f"needs secret {', '.join(named)}: what differs rests on its true value, which was"
            " redacted",
            f"replay run {id[-8:]} --secret {named[0]}=VALUE, or --secret {named[0]}=env:VARIABLE",
        )


def stand_ins(recording: Recording) -> dict[str, str]:
    """Return what stands in the place of each secret, with the name that it was found under."""
    if recording.redaction is None:
        return {}
    by_variable = {value: name for name, value in recording.redaction.environment.items()}
    return {**recording.redaction.pseudonyms, **by_variable}


def table_of(recording: Recording, secrets: Mapping[str, str]) -> dict[str, str]:
    """Return for each pseudonym of the named secrets its true value."""
    folded = {name.lower(): value for name, value in secrets.items()}
    return {
        pseudonym: folded[name.lower()]
        for pseudonym, name in stand_ins(recording).items()
        if name.lower() in folded
    }


def moved_tables(recording: Recording) -> dict[str, dict[str, str]]:
    """Return for each secret's name what to move its pseudonyms to; "" moves all at once."""
    tables: dict[str, dict[str, str]] = {"": {}}
    for pseudonym, name in stand_ins(recording).items():
        moved = tables[""][pseudonym] = _MOVED.of(pseudonym)
        tables.setdefault(name or _UNNAMED, {})[pseudonym] = moved
    return tables


def given(recording: Recording, table: Mapping[str, str]) -> Recording:
    """Return a recording with what the table says in the places of its pseudonyms."""
    if recording.redaction is None or not table:
        return recording
    variables, pseudonyms = recording.redaction.environment, recording.redaction.pseudonyms
    redaction = dataclasses.replace(
        recording.redaction,
        environment={name: it for name, it in variables.items() if it not in table},
        pseudonyms={it: name for it, name in pseudonyms.items() if it not in table},
    )
    given_variables = {name: it for name, it in variables.items() if it in table}
    invocation = recording.invocation
    environment = {**invocation.environment, **given_variables}
    recording = dataclasses.replace(
        recording, invocation=dataclasses.replace(invocation, environment=environment)
    )
    changed = {
        field.name: substituted(getattr(recording, field.name), table)
        for field in dataclasses.fields(recording)
        if field.init and field.name not in ("id", "redaction")
    }
    return Recording(recording.id, redaction=redaction, **changed)


def substituted(value: Value, table: Mapping[str, str]) -> Value:
    """Return a value with the table's texts replaced in all texts and bytes of it.

    What is JSON stays JSON, whatever they hold; a short one is replaced where it stands alone.
    """
    result: Value = _Substitution(table).of(value) if table else value
    return result


class _Substitution:
    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = table
        self._inside = {
            spelled: other
            for it, other in table.items()
            if len(it) >= _MIN_LENGTH
            for spelled in _quoted(_quoted({it}))
        }
        found = sorted(self._inside, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, found)) or "(?!)")

    def of(self, value: Any) -> Any:
        """Return a value of plain data and dataclasses with texts replaced."""
        match value:
            case str():
                return self._of_text(value)
            case bytes():
                return self._of_bytes(value)
            case dict():
                return {self.of(key): self.of(item) for key, item in value.items()}
            case list():
                return [self.of(item) for item in value]
            case tuple() if type(value) is tuple:
                return tuple(self.of(item) for item in value)
            case ReplayError():
                error = type(value).__new__(type(value))
                ReplayError.__init__(
                    error, self.of(value.message), self.of(value.hint), value.exit_code
                )
                return error
            case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
                return self._of_fields(value)
        return value

    def _of_text(self, text: str) -> str:
        if text in self._table:
            return self._table[text]
        if text[:1] in '{["' and is_json(text):
            return _STRING.sub(lambda it: self._of_literal(it[0]), text)
        return self._pattern.sub(lambda it: self._inside[it[0]], text)

    def _of_literal(self, literal: str) -> str:
        """Return a string of JSON; one that holds nothing stays as it is written."""
        before = json.loads(literal)
        after = self._of_text(before)
        if after == before:
            return literal
        return json.dumps(after, ensure_ascii=literal.isascii())

    def _of_bytes(self, value: bytes) -> bytes:
        text = value.decode(errors="surrogateescape")
        return self.of(text).encode(errors="surrogateescape")  # type: ignore[no-any-return]

    def _of_fields(self, value: Any) -> Any:
        names = [field.name for field in dataclasses.fields(value) if field.init]
        before = {name: getattr(value, name) for name in names}
        after = {name: self.of(item) for name, item in before.items()}
        return value if after == before else dataclasses.replace(value, **after)


def _quoted(texts: set[str]) -> set[str]:
    """Return texts, and how they stand in a text that quotes some JSON or Python, as logs do."""
    in_json = {json.dumps(it, ensure_ascii=is_ascii) for it in texts for is_ascii in (True, False)}
    return texts | {it[1:-1] for it in (*in_json, *map(repr, texts))}


def differs_by_pseudonyms(then: object, now: object, pseudonyms: Collection[str]) -> bool:
    """Whether a recorded text is the replayed one but for what was redacted in it.

    Or in that: a secret that is too short to be looked for everywhere was recorded in clear. What
    an answer handed out, such as the credentials of STS, is withheld in the replay.
    """
    if not (isinstance(then, str) and isinstance(now, str)):
        return False
    if now in pseudonyms and len(then) == len(now) < _MIN_LENGTH:
        return True
    found = [it for it in pseudonyms if len(it) >= _MIN_LENGTH and it in then]
    if not found:
        return False
    longest_first = sorted(found, key=len, reverse=True)
    pieces = re.split(f"({'|'.join(map(re.escape, longest_first))})", then)
    alike = "".join(
        f"(?:.{{{len(it)}}}|{WITHHELD})" if number % 2 else re.escape(it)
        for number, it in enumerate(pieces)  # what stands at odd places is a pseudonym
    )
    return re.fullmatch(alike, now, re.DOTALL) is not None
