"""What is wrapped in a text: JSON, base64, gzip, each unwrapped, redacted, and wrapped again.

What does not change stays as it was written, to the byte: of a JSON text only the values that are
replaced are written anew. Standard library and orjson only.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from replay.errors import RedactionError
from replay.redaction import base64
from replay.redaction.escape import may_be_escaped, quoted, unquoted
from replay.redaction.name import Secrecies
from replay.redaction.needle import StandIn
from replay.redaction.stand_in import StandIns

_GZIP = b"\x1f\x8b"
_MAX_UNZIPPED_BYTES = 16 * 2**20
"""In somebody's function memory is scarce."""
_MIN_BASE64_LENGTH = 16
_BASE64 = r"[A-Za-z0-9+/\-_]+={0,2}"
_TOKENS = r'(?s)"(?:[^"\\]|\\.)*"(\s*:)?|-?\d[\d.eE+\-]*|true|false|null|NaN|-?Infinity'
_FIELD = (
    r'(?P<head>(?<![a-z])name="(?P<name>[^"\r\n]{1,128})"(?!;)[^\r\n]{0,128}\r?\n'
    r"(?:[^\r\n]{1,256}\r?\n){0,4}\r?\n)(?P<value>[^\r\n]{1,4096})"
)
_TEXT_CONTROLS = frozenset("\t\n\r\x0b\x0c")


def redact_json(text: str, redact: Callable[[Any], Any], stand_ins: StandIns) -> str | None:
    """Return a JSON text with its value redacted; None where it is not the text of a container."""
    value = _parsed(text)
    if type(value) is not dict and type(value) is not list:
        return None
    before = stand_ins.replaced
    redacted = redact(value)
    if stand_ins.replaced == before:
        return text
    tokens = [match for match in re.finditer(_TOKENS, text) if match[1] is None]
    plain = _parsed(text)  # the other was changed in its place
    old, new = list(_leaves(plain)), list(_leaves(redacted))
    is_renamed = [*_names(plain)] != [*_names(redacted)]
    if is_renamed or len(tokens) != len(new):  # or a key is there twice
        return orjson.dumps(redacted).decode()
    return "".join(_rewritten(text, tokens, old, new))


def redact_bytes(content: bytes, redact: Callable[[str], str]) -> bytes:
    """Return bytes with the text that they are, zipped or not, redacted."""
    if content[:2] == _GZIP:
        plain = _unzipped(content)
        redacted = plain if plain is None else redact_bytes(plain, redact)
        return content if redacted is None or redacted == plain else _zipped(redacted)
    text = _text_of(content)
    if text is None:
        return content
    redacted_text = redact(text)
    return content if redacted_text == text else redacted_text.encode()


def redact_base64(text: str, redact: Callable[[str], str], stand_ins: StandIns) -> str | None:
    """Return base64 with what it holds redacted; None where it is not base64 of a text."""
    if len(text) < _MIN_BASE64_LENGTH or re.fullmatch(_BASE64, text) is None:
        return None
    content = base64.decoded(text)
    if content is None or (content[:2] != _GZIP and _text_of(content) is None):
        return None
    before = stand_ins.replaced
    redacted = redact_bytes(content, redact)
    if stand_ins.replaced == before:
        return text
    is_padded = text.endswith("=") or len(text) % 4 == 0
    return base64.encoded(redacted, for_addresses="-" in text or "_" in text, padded=is_padded)


def redact_form(text: str, redact: Callable[[str], str], stand_ins: StandIns) -> str | None:
    """Return a form, or an address with a query, with what is escaped in it redacted; else None."""
    head, question, query = text.rpartition("?")
    if not may_be_escaped(query) or re.search(r"\s", query):
        return None
    before = stand_ins.replaced
    pairs = "&".join(_redacted_pair(it, redact) for it in query.split("&"))
    return text if stand_ins.replaced == before else head + question + pairs


def _redacted_pair(pair: str, redact: Callable[[str], str]) -> str:
    name, equals, value = pair.partition("=")
    plain = unquoted(value)
    redacted = plain if plain == value else redact(plain)
    return pair if redacted == plain else name + equals + quoted(redacted)


def redact_fields(text: str, secrecies: Secrecies, stand_in: StandIn) -> str:
    """Return a text with the values of secret fields replaced, where it is a form of many parts."""

    def replaced(match: re.Match[str]) -> str:
        is_secret = secrecies[match["name"]] > 0
        return match["head"] + stand_in(match["value"]) if is_secret else match[0]

    return re.sub(_FIELD, replaced, text) if 'name="' in text else text


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        pass
    import json  # accepts NaN and lone surrogates, rarely needed

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _leaves(value: Any) -> Iterator[Any]:
    pending = [iter((value,))]
    while pending:
        for item in pending[-1]:
            if type(item) is dict:
                pending.append(iter(item.values()))
                break
            if type(item) is list:
                pending.append(iter(item))
                break
            yield item
        else:
            pending.pop()


def _names(value: Any) -> Iterator[str]:
    pending = [value]
    while pending:
        container = pending.pop()
        if type(container) is dict:
            yield from container
            pending += container.values()
        elif type(container) is list:
            pending += container


def _rewritten(
    text: str, tokens: list[re.Match[str]], before: list[Any], after: list[Any]
) -> Iterator[str]:
    import json  # to write a text as it was: escaped or not

    done, is_ascii = 0, text.isascii()
    for token, old, new in zip(tokens, before, after, strict=True):
        if old is not new and old != new:
            yield text[done : token.start()]
            yield json.dumps(new, ensure_ascii=is_ascii)
            done = token.end()
    yield text[done:]


def _text_of(content: bytes) -> str | None:
    """Return the text that bytes are; None where they are none."""
    try:
        head = content[:64].decode(errors="ignore")
        if not all(it.isprintable() or it in _TEXT_CONTROLS for it in head):
            return None
        return content.decode()
    except UnicodeDecodeError:
        return None


def _unzipped(content: bytes) -> bytes | None:
    try:
        stream = zlib.decompressobj(31)
        plain = stream.decompress(content, _MAX_UNZIPPED_BYTES)
    except zlib.error:
        return None
    if stream.unconsumed_tail:
        raise RedactionError("what is zipped is larger than can be looked at")
    return plain


def _zipped(content: bytes) -> bytes:
    stream = zlib.compressobj(wbits=31)
    return stream.compress(content) + stream.flush()
