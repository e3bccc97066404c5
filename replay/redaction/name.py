"""Which names say that their value is a secret: of fields, headers, variables and parameters.

A name is split into words - case, separators, plurals and accents do not count - and judged by
them: `userPassword`, `X-Api-Key` and `client_secrets` are secret, `passwordPolicy`, `nextToken` and
`primaryKey` are not. Pure; standard library only.
"""

from collections.abc import Callable
from enum import IntEnum

from replay.redaction.word import (
    AFTER_TOKEN,
    CODES,
    COOKIES,
    ENDS,
    HARMLESS_ENDS,
    INSIDE_HARMLESS,
    KEYS,
    OPEN_TOKENS,
    PHRASES,
    RESOURCES,
    STRONG,
    VISITORS,
    words_of,
)


class Secrecy(IntEnum):
    """What a name says of its value; a true one says that the value is secret.

    TOKEN: a text is secret, a number under such a name counts something. COOKIE: name-value pairs,
    of which some are secret. OPAQUE: a text is secret if it looks random. HARMLESS: says what a
    secret is about, such as its owner or its age.
    """

    ORDINARY = 0
    SECRET = 1
    TOKEN = 2
    COOKIE = 3
    OPAQUE = 4
    HARMLESS = -1


_OPEN_NAMES = ("PWD", "OLDPWD", "Signature")
"""Folders of a shell, and what SNS signs its messages with; in small letters they are secrets."""
_MAX_NAMES = 8192
_MAX_HEADER_LENGTH = 64
_EXACT = {
    **dict.fromkeys(("token", "auth", "authorization"), Secrecy.TOKEN),
    **dict.fromkeys(("x_auth", "bearer", "jeton", "токен"), Secrecy.TOKEN),
    **dict.fromkeys(
        ("plaintext", "pin", "pan", "sig", "tan", "pass", "sin", "tin", "nin", "nie"),
        Secrecy.SECRET,
    ),
    **dict.fromkeys(
        (
            "session",
            "sess",
            "sid",
            "authentication",
            "appid",
            "signature",
            "sessionid",
            "phpsessid",
            "jsessionid",
            "code",
        ),
        Secrecy.OPAQUE,
    ),
    **dict.fromkeys(("cookie", "set_cookie"), Secrecy.COOKIE),
    **dict.fromkeys(("maiden_name", "mother_maiden_name"), Secrecy.SECRET),
}


def secrecy_of(name: str) -> Secrecy:
    """Return what a name says of its value."""
    words = words_of(name[-128:])
    if not words or name in _OPEN_NAMES:
        return Secrecy.ORDINARY
    folded = "_".join(words)
    exact = _EXACT.get(folded)
    if exact is not None:
        return exact
    if _is_phrase(folded):
        return Secrecy.SECRET
    last = words[-1]
    if last == "code" and len(words) > 1 and words[-2] in CODES:
        return Secrecy.SECRET
    if last in HARMLESS_ENDS or folded in INSIDE_HARMLESS:
        return Secrecy.HARMLESS
    if not STRONG.isdisjoint(words) or any(word.endswith(ENDS) for word in words):
        return Secrecy.SECRET
    return _by_last_word(words, last)


class Secrecies(dict[str, Secrecy]):
    """What names say, each worked out once: programs use the same few over and over."""

    def __init__(self, judge: Callable[[str], Secrecy]) -> None:
        super().__init__()
        self._judge = judge

    def __missing__(self, name: str) -> Secrecy:
        if len(self) >= _MAX_NAMES:  # a program whose names are its data
            self.clear()
        secrecy = self[name] = self._judge(name)
        return secrecy


def is_visitor_cookie(name: str) -> bool:
    """Whether a cookie of this name counts visitors, and lets nobody in."""
    return name.startswith(VISITORS)


def is_secret_cookie(name: str) -> bool:
    """Whether a cookie of this name lets its bearer in."""
    words = words_of(name)
    return secrecy_of(name) > 0 or not COOKIES.isdisjoint(words) or "sess" in name.lower()


def is_header_name(value: object) -> bool:
    """Whether a value may be the name in a pair of a header's name and value."""
    if not isinstance(value, str) or len(value) > _MAX_HEADER_LENGTH:
        return False
    return value.replace("-", "").replace("_", "").isalnum()


def _is_phrase(folded: str) -> bool:
    padded = f"_{folded}_"
    is_about = folded.endswith(("_last", "_type", "_status", "_count", "_name", "_brand"))
    return not is_about and any(phrase in padded for phrase in PHRASES)


def _by_last_word(words: tuple[str, ...], last: str) -> Secrecy:
    before = words[-2] if len(words) > 1 else ""
    if last in ("value", "string", "raw", "plain", "plaintext", "hash") and before in (
        "token",
        "key",
    ):
        words, last = words[:-1], before
        before = words[-2] if len(words) > 1 else ""
    match last:
        case "token":
            return Secrecy.ORDINARY if before in OPEN_TOKENS else Secrecy.TOKEN
        case "key" if before in KEYS:
            return Secrecy.SECRET
        case "pin" | "pass" | "jeton" | "authorization":
            return Secrecy.SECRET
        case "auth":
            return Secrecy.TOKEN
        case _ if words[0] == "token" and last in AFTER_TOKEN:
            return Secrecy.TOKEN
        case "sid" if before in RESOURCES:
            return Secrecy.ORDINARY
        case "session" | "sess" | "sid":
            return Secrecy.OPAQUE
    return Secrecy.ORDINARY
