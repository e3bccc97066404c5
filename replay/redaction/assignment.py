"""Secrets that a text gives away by a name.

`password=...` in a form, a query, a message or a line of code, `<Password>...</Password>`, "the
token is ...".

Works from the sensitive words outwards, so a text without one costs a search for each, and a text
with many takes linear time. `re` compiles a pattern when it is first needed, and keeps it. Standard
library only.
"""

import re

from replay.errors import RedactionError
from replay.redaction.credential import is_opaque
from replay.redaction.escape import quoted, unquoted
from replay.redaction.look import CODE, TELLS
from replay.redaction.name import Secrecies, Secrecy
from replay.redaction.needle import StandIn
from replay.redaction.word import listed

_MAX_NAME_LENGTH = 64
_MAX_CANDIDATES = 20_000
"""Sensitive words that are looked at in one text: beyond that it is not what people write."""
_NAME_PART = frozenset("_.-[]%$")
_VALUE = (
    r"""(?:"(?P<double>[^"\n]{1,4096})"|'(?P<single>[^'\n]{1,4096})'"""
    r"""|\\+"(?P<escaped>[^"\\\n]{1,4096})|(?P<bare>[^\s"'&;,<>(){}\[\]\\]{1,4096}))"""
)
_ASSIGNED = r"""[\\"'\]]{0,4}\s{0,3}(?P<sign>=>|:=|==|=|:)\s{0,3}(?:[bru]{1,2}(?=["']))?""" + _VALUE
_ELEMENT = r"(?:\s[^<>]{0,256})?>(?P<bare>[^<]{1,4096})</"
_TOLD = r"\s{1,2}(?:(?P<is>is|was|are)\s{1,2})?" + _VALUE
_NO_SECRETS = (":", "$", "%(", "%s", "<", "{", "?", "***", "http:", "https:", "arn:")
"""How a value begins that stands for another, or tells where one is."""
_NEXT_ARGUMENT = r"""['"]\s?,\s?['"](?P<bare>[^'"]{1,4096})(?P<is>)"""
_PASSWORDS = ("passw", "passphrase", "pwd", "wachtwoord", "kennwort", "senha", "contrase", "hasl")
_MIN_PASSWORD_LENGTH = 6
_TOLD_OF_PASSWORDS = frozenset(
    listed(
        "required invalid missing incorrect expired changed updated optional string hidden redacted"
        " removed should cannot failed denied rejected accepted correct matches mismatch minimum"
        " maximum length verified disabled enabled unknown undefined default wrong-password policy"
    )
)
_WORD_BEFORE = r"([A-Za-z]{2,32})[ \-]\Z"
_SIGNED = "Signature"
"""In an address it lets whoever has it in; as a field of its own it is what SNS has signed."""
_QUERY_CODE = r"=([^&\s\"'#]{10,4096})"


def redact_assignments(text: str, secrecies: Secrecies, stand_in: StandIn) -> str:
    """Return a text with the values of sensitive names replaced."""
    if not _has_sign(text):
        return text
    done, pieces = 0, []
    for start, end in _names(text):
        if start < done:
            continue
        place = _place_of_value(text, start, end, secrecies)
        if place is not None and _is_secret_place(text, start, end, place, secrecies):
            first, last = place
            pieces += [text[done:first], _replaced(text, first, last, stand_in)]
            done = last
    return "".join((*pieces, text[done:])) if pieces else text


def _is_secret_place(
    text: str, start: int, end: int, place: tuple[int, int], secrecies: Secrecies
) -> bool:
    """Whether a value is one that its name makes secret: some names do with random ones alone."""
    name = text[start:end].strip(".-")
    if secrecies[name] is not Secrecy.OPAQUE or name.lower() == CODE:
        return True
    return is_opaque(text[slice(*place)], name)


def _has_sign(text: str) -> bool:
    has_equals = "=" in text or " " in text or "</" in text
    return has_equals or '":' in text or "':" in text


def _names(text: str) -> list[tuple[int, int]]:
    """Return where the names that hold a sensitive word begin and end, in order."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a letter whose small form is two
        lowered = text
    found: set[tuple[int, int]] = set()
    for word in TELLS:
        at = lowered.find(word)
        while at >= 0:
            span = _span(text, at, at + len(word.rstrip("=")))
            found.add(span)
            at = lowered.find(word, span[1])
        if len(found) > _MAX_CANDIDATES:
            raise RedactionError("a text has too many names to look at")
    return sorted(found)


def _span(text: str, start: int, end: int) -> tuple[int, int]:
    least, most = max(0, start - _MAX_NAME_LENGTH), min(len(text), end + _MAX_NAME_LENGTH)
    while start > least and _is_of_name(text[start - 1]):
        start -= 1
    while end < most and _is_of_name(text[end]):
        end += 1
    return start, end


def _is_of_name(character: str) -> bool:
    return character.isalnum() or character in _NAME_PART


def _place_of_value(
    text: str, start: int, end: int, secrecies: Secrecies
) -> tuple[int, int] | None:
    """Return where the value of a name stands, if the name is sensitive and has one."""
    name = text[start:end].strip(".-")
    if "%" in name:
        name = unquoted(name)
    if name == _SIGNED and text[end : end + 1] == "=":
        name = name.lower()
    is_open = secrecies[name] <= 0 or name.lower() == CODE
    if is_open and not _is_secret_with_word_before(text, start, name, secrecies):
        is_query = name == "code" and text[start - 1 : start] in ("?", "&")
        match = _matched(_QUERY_CODE, text, end) if is_query else None
        return match.span(1) if match else None
    match = _matched(_ELEMENT, text, end) if text[start - 1 : start] == "<" else None
    match = match or _matched(_ASSIGNED, text, end)
    if match is not None and match[match.lastgroup or 0].startswith(_NO_SECRETS):
        return None
    if match is not None:
        is_prose = match.groupdict().get("sign") == ":" and match["bare"] is not None
        is_word = (
            is_prose and _is_word(match["bare"]) and not _is_told_password(name, match["bare"])
        )
        return None if is_word else match.span(match.lastgroup or 0)
    match = _matched(_TOLD, text, end) or _matched(_NEXT_ARGUMENT, text, end)
    is_flag = text[start : start + 2] == "--"
    if match is None or (match["bare"] and not is_flag and _is_word(match["bare"], match["is"])):
        return None
    return match.span(match.lastgroup or 0)


def _matched(pattern: str, text: str, start: int) -> re.Match[str] | None:
    return re.compile(pattern).match(text, start)


def _is_secret_with_word_before(text: str, start: int, name: str, secrecies: Secrecies) -> bool:
    """Whether a name is secret with the word before it: "verification code", "api key"."""
    before = re.search(_WORD_BEFORE, text[max(0, start - _MAX_NAME_LENGTH) : start])
    return before is not None and secrecies[f"{before[1]}_{name}"] > 0


def _is_told_password(name: str, value: str) -> bool:
    """Whether what follows "password:" is one, and does not tell of one."""
    is_password = any(it in name.lower() for it in _PASSWORDS)
    bare = value.strip(".,:!?)").lower()
    return is_password and len(bare) >= _MIN_PASSWORD_LENGTH and bare not in _TOLD_OF_PASSWORDS


def _is_word(value: str, verb: str | None = "is") -> bool:
    """Whether a value is a word of a sentence; after no verb, only digits tell that it is none."""
    bare = value.strip(".,:!?)")
    has_digit = any(it.isdigit() for it in bare)
    is_word = not has_digit if verb is None else bare.isalpha()
    return is_word or value.startswith(_NO_SECRETS)


def _replaced(text: str, first: int, last: int, stand_in: StandIn) -> str:
    value = text[first:last]
    bare = value.rstrip(".:!?)") or value
    if "%" in bare or "+" in bare:
        plain = unquoted(bare)
        if plain != bare:
            return quoted(stand_in(plain)) + value[len(bare) :]
    return stand_in(bare) + value[len(bare) :]
