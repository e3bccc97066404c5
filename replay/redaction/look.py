"""Whether a captured value can hold a secret at all: most cannot, and then it is written as it is.

A look at the names and the long texts costs a fraction of a walk that rebuilds. Finds every secret
name, needle, mark and wrapping; may be wrong only by seeing what the walk then does not.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Collection, Iterator
from typing import Any

import orjson

from replay.redaction.escape import may_be_escaped, unquoted
from replay.redaction.name import Secrecies, is_header_name
from replay.redaction.needle import may_hold_needle, may_hold_number
from replay.redaction.token import MAX_PATH_LENGTH, is_aws_secret, mark_length
from replay.redaction.word import listed

TELLS = listed(
    "ass pwd pw psk natur answer contrase kennw wacht hasl hasł cre token key auth jwt otp pin cv"
    " ssn code srf card iban senha clave mdp sig= sess appid cookie passphrase saml maiden"
)
"""Pieces of which every name that is told in a text holds one."""
CODE, STATE = "code", "state"
"""What an OAuth callback brings together: there the code is a credential."""
NAMING = listed("name Name key Key headerName parameterName field ParameterKey id")
"""Names of fields that name the value of another, the first that is there counts."""
NAMED = frozenset(listed("value Value stringValue StringValue ParameterValue values val"))
"""Names of fields whose value another one names."""
SECURE = "SecureString"
"""The type of a parameter whose value is secret, whatever it is called."""
_LONG_WORD_LENGTH = 14
_MIN_PAIR_LENGTH = 6
_MIN_TEXT_LENGTH = 10
_HEAD_LENGTH = 24
_MAX_REMEMBERED = 2048
_MAX_REMEMBERED_LENGTH = 128


class Seen:
    """Names that say nothing, and short texts that hold no secret: most come again and again."""

    __slots__ = ("clean", "ordinary")

    def __init__(self) -> None:
        self.ordinary: set[str] = set()
        self.clean: set[str] = set()

    def add_clean(self, text: str) -> None:
        """Remember a text, if it is short and there is room."""
        if len(text) <= _MAX_REMEMBERED_LENGTH and len(self.clean) < _MAX_REMEMBERED:
            self.clean.add(text)


class Look:
    """Looks at values; `known` are secrets that may occur again, `seen` is what was looked at."""

    __slots__ = ("_escaped", "_known", "_secrecies", "seen")

    def __init__(
        self, secrecies: Secrecies, known: Collection[str] = (), *, seen: Seen | None = None
    ) -> None:
        self._secrecies = secrecies
        pieces = {it: plain_piece(it) for it in known}
        self._known = [piece.encode() for piece in pieces.values()]
        self._escaped = [piece for secret, piece in pieces.items() if piece != secret]
        self.seen = seen or Seen()

    def may_hold_secrets(self, value: Any, encoded: bytes) -> bool:
        """Whether a walk may find a secret; `encoded` is the value as JSON."""
        for known in self._known:
            if known in encoded:
                return True
        if may_hold_number(encoded):
            return True
        return self._may_hold(value, has_pairs=b"=" in encoded)

    def _may_hold(self, value: Any, *, has_pairs: bool) -> bool:
        names: set[str] = set()
        texts: set[str] = set()
        _survey(value, names, texts, _MIN_PAIR_LENGTH if has_pairs else _MIN_TEXT_LENGTH)
        return self._any_secret(names) or not self._are_clean(texts - self.seen.clean)

    def _any_secret(self, names: set[str]) -> bool:
        if (CODE in names and STATE in names) or SECURE in names:
            return True
        secrecies, ordinary = self._secrecies, self.seen.ordinary
        for name in names - ordinary:
            if secrecies[name] > 0 or begins_as_token(name):
                return True
            if len(ordinary) < _MAX_REMEMBERED:
                ordinary.add(name)
        return False

    def _are_clean(self, texts: set[str]) -> bool:
        for text in texts:
            if self._text_may_hold(text):
                return False
            self.seen.add_clean(text)
        return True

    def text_may_hold(self, text: str) -> bool:
        """Whether one text may hold a secret."""
        if any(piece in text for piece in self._escaped):
            return True
        if text in self.seen.clean:
            return False
        return (
            len(text) >= _LONG_WORD_LENGTH and may_hold_number(text.encode(errors="replace"))
        ) or self._text_may_hold(text)

    def _text_may_hold(self, text: str) -> bool:
        if text[0] in '{["':
            try:
                value = orjson.loads(text)
            except ValueError:
                return True
            return self._may_hold(value, has_pairs="=" in text)
        if " " in text or "/" in text or "=" in text or '"' in text or ":" in text:
            return _tells(text) or (may_be_escaped(text) and _tells(unquoted(text)))
        return len(text) >= _LONG_WORD_LENGTH and (_may_be_token(text) or may_hold_needle(text))


def plain_piece(secret: str) -> str:
    """Return the longest piece of a secret that JSON writes as it is, however deep it is."""
    is_plain = secret.isascii() and secret.isprintable()
    if is_plain and '"' not in secret and "\\" not in secret:
        return secret
    plain = (it if " " <= it <= "~" and it not in '"\\' else "\n" for it in secret)
    return max("".join(plain).split("\n"), key=len)


def _survey(value: Any, names: set[str], texts: set[str], least_length: int) -> None:
    """Collect all names in a value, also those that values have beside them, and longer texts."""
    containers: list[Any] = [value if type(value) is dict else (value,)]
    take, put, add_name, add_text = containers.pop, containers.append, names.update, texts.add
    while containers:
        container = take()
        if type(container) is dict:
            # Most events of an API say `"accessKey": null`.
            has_null = None in container.values()
            add_name(_given(container) if has_null else container)
            if not NAMED.isdisjoint(container):
                add_name(_names_of_values(container))
            container = container.values()
        elif len(container) == 2 and is_header_name(container[0]):
            add_name((container[0],))
        for item in container:
            kind = type(item)
            if kind is str:
                if len(item) >= least_length:
                    add_text(item)
            elif kind is dict or kind is list:
                put(item)


def _given(container: dict[str, Any]) -> Iterator[str]:
    return (name for name, value in container.items() if value is not None)


def _names_of_values(container: dict[str, Any]) -> Iterator[str]:
    """Yield what the fields of an object call the value that stands beside them."""
    for field in NAMING:
        name = container.get(field)
        if type(name) is str:
            yield name.rpartition("/")[2]
    if container.get("Type") == SECURE:
        yield SECURE


def _tells(text: str) -> bool:
    lowered = text.lower()
    for tell in TELLS:
        if tell in lowered:
            return True
    if may_hold_needle(text):
        return True
    return len(text) >= _LONG_WORD_LENGTH and _holds_token(text)


_LONG = b"a" * _LONG_WORD_LENGTH
_WORDS = bytes(
    97 if (byte < 128 and chr(byte).isalnum()) or byte in b"_-.|$+/" else 32 for byte in range(256)
)


def _holds_token(text: str) -> bool:
    encoded = text.encode(errors="replace")
    words = encoded.translate(_WORDS)
    start = words.find(_LONG)
    while start >= 0:
        end = words.find(b" ", start)
        end = end if end >= 0 else len(encoded)
        if _may_be_token(encoded[start:end].decode()):
            return True
        start = words.find(_LONG, end)
    return False


def _may_be_token(word: str) -> bool:
    if begins_as_token(word) or "eyJ" in word or is_aws_secret(word):
        return True
    is_path = len(word) <= MAX_PATH_LENGTH and ("/" in word or "+" in word)
    if is_path and any(map(begins_as_token, word.replace("+", "/").split("/"))):
        return True
    head = word[:_HEAD_LENGTH]
    try:
        plain = a2b_base64(head[: len(head) // 4 * 4])
    except (Base64Error, ValueError):
        return False
    return plain[:2] == b"\x1f\x8b" or (plain.isascii() and len(plain) > 2)


def begins_as_token(word: str) -> bool:
    """Whether a word is long enough for a credential, and has the mark of one."""
    return len(word) >= _LONG_WORD_LENGTH and mark_length(word) > 0
