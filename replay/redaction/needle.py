"""What secrets look like under any name, where a piece of text that they hold announces them.

Each pattern holds its needle and takes linear time; `re` compiles it when it is first needed.
Standard library only.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from replay.redaction.pseudonym import is_card

StandIn: TypeAlias = Callable[[str], str]
"""Returns what stands in the place of a secret."""
_DIGITS = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))
_PERSONS = (b"000-00-0000", b"000.000.000-00")
_CARD_GROUPS = tuple(
    groups.replace(b" ", separator)
    for groups in (b"0000 0000 0000 0000", b"0000 000000 00000")
    for separator in (b" ", b"-", b"+")
)
_MIN_CARD_DIGITS = b"0" * 14
_DIGIT_RUN = rb"(?<![0.])0{14,}"
"""Behind a point they are a fraction's, which the pattern of a card leaves alone as well."""
_MAX_CARD_DIGITS = 19
_SCHEME = r"{0} {{1,3}}([A-Za-z0-9._~+/=\-]{{8,}})"
_ADDRESS = "://"
_NUMBER_TOLD = r"(?<![\w-])((?:[A-Z]-)?\d{4,8}) "
_PATTERNS = {
    "Bearer": _SCHEME.format("Bearer"),
    "bearer": _SCHEME.format("bearer"),
    "BEARER": _SCHEME.format("BEARER"),
    "-----BEGIN": (
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----([^-]{1,20000})(?:-----END)?"
    ),
    _ADDRESS: r"://[^\s/@:\"'<>]{0,256}:([^\s/@\"'<>]{1,256})@",
    "hooks.slack.com/": r"hooks\.slack\.com/\w{1,20}/([\w/\-]{10,200})",
    "/api/webhooks/": r"/api/webhooks/\d{1,30}/([\w\-]{20,200})",
    " -u ": r" -u ['\"]?[^\s:'\"]{1,64}:([^\s'\"/]{1,256})",
    "IDENTIFIED BY ": r"IDENTIFIED BY ['\"]([^'\"]{1,256})",
    "identified by ": r"identified by ['\"]([^'\"]{1,256})",
    "auth=(": r"auth=\(['\"][^'\"]{0,64}['\"], ?['\"]([^'\"]{1,256})",
    "auth = (": r"auth = \(['\"][^'\"]{0,64}['\"], ?['\"]([^'\"]{1,256})",
    **{
        f"/{segment}/": rf"/{segment}/([\w\-.~]{{16,256}})"
        for segment in ("token", "tokens", "secret", "verify", "magic", "invite")
    },
    "/reset/": r"/reset/(?:\w{1,8}/)?([\w\-.~]{16,256})",
    "password?": r"password\?\w{1,20}=([\w\-.~]{16,256})",
    "/IncomingWebhook/": r"/IncomingWebhook/([\w/\-]{20,200})",
    "hooks.zapier.com/": r"hooks\.zapier\.com/hooks/catch/([\w/\-]{8,200})",
    "@tcp(": r"(?<![^\s\"'=])[^\s:/@\"'=]{1,64}:([^\s@\"']{1,256})@tcp\(",
    "bearer.": r"bearer\.([\w\-.~+/=]{16,512})",
    " is your ": _NUMBER_TOLD + r"is your [\w ]{0,40}(?:code|PIN|OTP|password)",
    "our code is": r"our code is:? ?(\d{4,8})(?!\d)",
    "ode lautet": r"ode lautet:? ?(\d{4,8})(?!\d)",
    **dict.fromkeys((" to sign in", " to log in"), _NUMBER_TOLD + r"to (?:sign|log) in"),
    ".atlasv1.": r"\.atlasv1\.([\w\-]{30,256})",
    "-us": r"(?<![0-9a-f])([0-9a-f]{32})-us\d{1,2}(?!\w)",
    "AUTH PLAIN": r"AUTH PLAIN ([A-Za-z0-9+/]{8,512}={0,2})",
    "AUTH LOGIN": r"AUTH LOGIN ([A-Za-z0-9+/]{8,512}={0,2})",
    ":APA91b": r":APA91b([\w\-]{60,256})",
    "IQoJb3JpZ2lu": r"IQoJb3JpZ2lu([A-Za-z0-9+/=%]{60,4096})",
    "FwoGZXIvYXdz": r"FwoGZXIvYXdz([A-Za-z0-9+/=%]{60,4096})",
    "$argon2": r"\$argon2i?d?\$[^\s\"']{1,100}\$([A-Za-z0-9+/$]{16,200})",
}
_NATIONAL = r"(?<![\w.\-])(?:\d{3}-\d{2}-\d{4}|\d{3}\.\d{3}\.\d{3}-\d{2})(?![\w\-]|\.\d)"
"""A social security number of the United States, and a taxpayer's of Brazil."""
_CARD = (
    r"\d(?<![\w.]\d)(?:\d{13,18}|\d{3}([ +-])\d{4}\1\d{4}\1\d{4}|\d{3}([ +-])\d{6}\2\d{5})"
    r"(?!\w|\.\d)"
)
NEEDLES = tuple(_PATTERNS)
_OF_WORDS = ("Bearer", "bearer", "BEARER", *(it for it in _PATTERNS if it[0] == it[-1] == "/"))
"""Needles after which a word may stand that is none of a credential."""


def redact_needles(text: str, stand_in: StandIn) -> str:
    """Return a text with the secrets replaced that needles announce."""
    if may_hold_number(text.encode(errors="replace")):
        text = re.sub(_CARD, lambda it: _card(it, stand_in), text)
        text = re.sub(_NATIONAL, lambda it: stand_in(it[0]), text)
    for needle in NEEDLES:
        if needle in text:
            replace = _words_apart if needle in _OF_WORDS else _group
            text = re.sub(_PATTERNS[needle], partial(replace, stand_in=stand_in), text)
    return text


def may_hold_needle(text: str) -> bool:
    """Whether anything announces a secret; most addresses of the web have no user info."""
    return any(needle in text and (needle != _ADDRESS or "@" in text) for needle in NEEDLES)


def may_hold_number(encoded: bytes) -> bool:
    """Whether there may be the number of a card, or of a person."""
    shape = encoded.translate(_DIGITS)
    if b"0000" not in shape and b"000.000" not in shape:
        return False
    for digits in _PERSONS:
        if digits in shape:
            return True
    for groups in _CARD_GROUPS:
        if groups in shape:
            return True
    return _MIN_CARD_DIGITS in shape and any(
        len(run[0]) <= _MAX_CARD_DIGITS for run in re.finditer(_DIGIT_RUN, shape)
    )


def _card(match: re.Match[str], stand_in: StandIn) -> str:
    return stand_in(match[0]) if is_card(match[0]) else match[0]


def _group(match: re.Match[str], stand_in: StandIn) -> str:
    start, end = match.start(1) - match.start(), match.end(1) - match.start()
    return match[0][:start] + stand_in(match[1]) + match[0][end:]


def _words_apart(match: re.Match[str], stand_in: StandIn) -> str:
    """Replace a token after its scheme; "bearer authentication" is prose."""
    if match[1].startswith("eyJ") or not any(it.isdigit() for it in match[1]):
        return match[0]
    return _group(match, stand_in)
