"""A recording as a portable document: one line of an export, or a fixture file of its own.

Layout: `{"format", "id", "tags", "parts": [{"kind", "payload"}, ...], "digest"}`, described by
`fixture.schema.json` beside this module. A payload is embedded as the JSON that it is; one that
JSON would not give back byte for byte goes under `payload_base64`.

Imports orjson, the standard library, `recording` and what lies below it; never the database.
Invariants: reading what `fixture_line` wrote gives the same fixture, writing that gives the same
bytes; whatever cannot be read is a `DamagedError` that says where, and never hides what follows it.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from replay import packed_file
from replay.document import (
    DOCUMENT_FORMAT,
    KEYS,
    MAX_BYTES,
    LayoutError,
    check_format,
    check_keys,
    digest_of,
    load_strictly,
    loaded,
    open_given,
    with_digest,
)
from replay.errors import DamagedError, ReplayError
from replay.interaction import CALL_KINDS
from replay.part import BEGUN, ENDED
from replay.recording import Part, Recording
from replay.tag import is_tag

SCHEMA = Path(__file__).with_name("fixture.schema.json")
"""The JSON Schema (draft 2020-12) of a document."""
MAX_LINE_BYTES = MAX_BYTES
ID = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")
_ID_FIELD = re.compile(rb'"id"\s*:\s*"([0-7][0-9a-hjkmnp-tv-z]{25})"')
_PLAIN_PART = {"kind", "payload"}
_BASE64_PART = {"kind", "payload_base64"}
_KINDS = {(BEGUN,), (BEGUN, ENDED)}
_BASE64 = re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_FOREIGN = {
    b"\x1f\x8b": "gzip data",
    b"\x89PNG": "a PNG image",
    b"PK\x03\x04": "a zip archive",
    b"SQLite format 3\0": "an SQLite database",
}
_NAME_EXPORT = "name a file that replay export has written"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Fixture:
    """A recording as it travels: its parts byte for byte, in the order written, and its tags."""

    id: str
    parts: tuple[Part, ...]
    tags: tuple[str, ...] = ()

    @property
    def recording(self) -> Recording:
        """What the parts make up; raises DamagedError, naming the id."""
        return Recording.from_parts(self.id, self.parts)


def recording_of(found: Fixture | DamagedError) -> Recording | DamagedError:
    """Return the recording of what was read, or the error that says why there is none."""
    try:
        return found if isinstance(found, DamagedError) else found.recording
    except DamagedError as error:
        return error


def fixture_line(fixture: Fixture) -> bytes:
    """Return the fixture as one line of JSON, without the newline; raises DamagedError.

    Only an id that is no ULID, or parts that are no recording's, cannot be written.
    """
    try:
        _check_ids_and_kinds(fixture)
    except LayoutError as error:
        raise DamagedError(f"recording {fixture.id}: {error}") from error
    return _line(fixture)


def read_fixture(document: bytes, where: str) -> Fixture:
    """Return the fixture of one document, pretty-printed or not; raises DamagedError.

    `where` is what messages call it, such as "orders.jsonl line 3". A digest that is there must
    hold; whoever edits a document by hand takes the digest out.
    """
    document = document.strip()
    try:
        found = loaded(document, orjson.loads)
        fixture = _fixture_of(found)
        if _is_canonical(document, found):
            return fixture
        # Read with more care what others have written: orjson rounds integers over 64 bits.
        found = loaded(document, load_strictly)
        fixture = _fixture_of(found)
        _check_digest(fixture, found)
    except LayoutError as error:
        raise _damaged(document, where, str(error)) from error
    return fixture


def embedded_fixture(document: Any, where: str) -> Fixture:
    """Return the fixture that a part of a greater document is; raises DamagedError."""
    # orjson, which has parsed it, has lost what it rounds, unless the digest holds.
    with suppress(KeyError, TypeError, LayoutError):
        if tuple(document) == KEYS and digest_of(_body(document)) == document["digest"]:
            return _fixture_of(document)
    return read_fixture(orjson.dumps(document), where)


def read_fixtures(path: Path) -> Iterator[Fixture | DamagedError]:
    """Yield what a file holds: one document, or one a line; each damaged one as its error.

    Reads line by line, in bounded memory. Raises ReplayError where the file as a whole cannot be
    read: absent, a directory, empty, of another kind.
    """
    try:
        with open_given(path) as file:
            yield from read_stream(file, str(path))
    except OSError as error:
        raise ReplayError(
            f"{path} cannot be read: {error.strerror or error}", _NAME_EXPORT
        ) from error


def read_stream(stream: BinaryIO, name: str) -> Iterator[Fixture | DamagedError]:
    """Yield what `read_fixtures` yields, from an open stream that messages call `name`."""
    try:
        yield from _read_plain(packed_file.unpacked(stream, name), name)
    except packed_file.UnpackingError as error:
        yield DamagedError(f"{name}: {error}", "what came before is read; export it again")


def _read_plain(stream: BinaryIO, name: str) -> Iterator[Fixture | DamagedError]:
    first = _next_line(stream)
    for magic, kind in _FOREIGN.items():
        if first.startswith(magic):
            raise ReplayError(f"{name} is {kind}, no export of recordings", _NAME_EXPORT)
    first = first.removeprefix(_BOM)
    if _is_spread(first, name):
        yield _read(first + stream.read(MAX_LINE_BYTES), name)
        return
    is_empty = True
    line = first
    for number in count(1):
        if not line:
            break
        if line.strip():
            is_empty = False
            yield _read(line, f"{name} line {number}")
        line = _next_line(stream)
    if is_empty:
        raise ReplayError(f"{name} is empty", _NAME_EXPORT)


def _is_spread(first: bytes, name: str) -> bool:
    """Whether a document goes on after its first line: it is pretty-printed, and the only one."""
    line = first.strip()
    return line == b"{" or (name.endswith(".json") and not line.endswith(b"}"))


def _next_line(stream: BinaryIO) -> bytes:
    """Return a line; of one that is too long the beginning, too long still, and skip the rest."""
    line = rest = stream.readline(MAX_LINE_BYTES + 1)
    while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
        rest = stream.readline(MAX_LINE_BYTES + 1)
    return line


def _read(document: bytes, where: str) -> Fixture | DamagedError:
    if len(document) > MAX_LINE_BYTES:
        return _damaged(document[:4096], where, f"over {MAX_LINE_BYTES // 2**20} MiB")
    try:
        return read_fixture(document, where)
    except DamagedError as error:
        return error


def _is_canonical(document: bytes, found: dict[str, Any]) -> bool:
    """Whether a document is what we write, byte for byte: nothing else need be looked at then."""
    try:
        return document == with_digest(_body(found))
    except TypeError:  # nested too deep for one go
        return False


def _body(found: dict[str, Any]) -> bytes:
    return orjson.dumps({key: found[key] for key in KEYS[:-1]})


def _damaged(document: bytes, where: str, why: str) -> DamagedError:
    found = _ID_FIELD.search(document)
    name = f"{where}: recording {found[1].decode()}" if found else where
    if why.startswith("document format"):
        return DamagedError(f"{name}: {why}", "pip install -U lambda-replay")
    return DamagedError(f"{name}: {why}", "export it again, or take the line out")


def _line(fixture: Fixture) -> bytes:
    body = orjson.dumps(
        {
            "format": DOCUMENT_FORMAT,
            "id": fixture.id,
            "tags": fixture.tags,
            "parts": [_part_document(part) for part in fixture.parts],
        }
    )
    return with_digest(body)


def _part_document(part: Part) -> dict[str, object]:
    if _is_exact(part.payload):
        return {"kind": part.kind, "payload": orjson.Fragment(part.payload)}
    return {"kind": part.kind, "payload_base64": b64encode(part.payload).decode()}


def _is_exact(payload: bytes) -> bool:
    """Whether a payload is an object that comes out of JSON as it goes in."""
    try:
        return payload.startswith(b"{") and orjson.dumps(orjson.loads(payload)) == payload
    except (ValueError, TypeError):
        return False


def _check_ids_and_kinds(fixture: Fixture) -> None:
    if not ID.fullmatch(fixture.id):
        raise LayoutError("its id is no ULID")
    kinds = tuple([part.kind for part in fixture.parts])
    if kinds not in _KINDS and not _are_of_calls(kinds):
        raise LayoutError("its parts are not begun, then sent and answered, then ended or nothing")


def _are_of_calls(kinds: tuple[str, ...]) -> bool:
    """Whether there are calls in a recording's parts, and nothing else between begun and ended."""
    later = kinds[1:]
    is_known = kinds[:1] == (BEGUN,) and {*later} <= {*CALL_KINDS, ENDED}
    return is_known and ENDED not in later[:-1]


def _fixture_of(document: dict[str, Any]) -> Fixture:
    check_format(document)
    check_keys(document)
    id, tags, parts = document["id"], document["tags"], document["parts"]
    if type(id) is not str:
        raise LayoutError("its id is no text")
    if type(tags) is not list or not all(map(is_tag, tags)):
        raise LayoutError("its tags are no list of tags")
    if len(set(tags)) != len(tags):
        raise LayoutError("a tag stands twice")
    if type(parts) is not list:
        raise LayoutError("its parts are no list")
    fixture = Fixture(id, tuple(_part_of(id, part) for part in parts), tuple(tags))
    _check_ids_and_kinds(fixture)
    return fixture


def _part_of(id: str, document: Any) -> Part:
    if type(document) is not dict or type(document.get("kind")) is not str:
        raise LayoutError("a part is no object with a kind")
    kind, keys = document["kind"], document.keys()
    if keys == _PLAIN_PART and type(document["payload"]) is dict:
        return Part(id, kind, _payload_of(document["payload"]))
    if keys == _BASE64_PART and type(document["payload_base64"]) is str:
        return Part(id, kind, _bytes_of(document["payload_base64"]))
    raise LayoutError(f"its {kind!r} part is not kind and payload")


def _payload_of(document: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError as error:
        raise LayoutError(f"a payload that cannot be kept ({error})") from error


def _bytes_of(text: str) -> bytes:
    if not _BASE64.fullmatch(text):
        raise LayoutError("a payload that is not base64")
    return b64decode(text)


def _check_digest(fixture: Fixture, document: dict[str, Any]) -> None:
    stated = document.get("digest")
    if stated is not None and not _line(fixture).endswith(b'"digest":"%b"}' % stated.encode()):
        raise LayoutError("its digest does not hold: it was changed; if by you, delete the digest")
