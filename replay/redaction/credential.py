"""Credentials as protocols write them: with a scheme, as a JSON web token, as cookies.

What says how to read the rest stays: the scheme, the user, the header and the claims of a token.
Standard library only.
"""

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable

from replay.redaction import base64
from replay.redaction.look import CODE
from replay.redaction.name import is_secret_cookie, is_visitor_cookie
from replay.redaction.stand_in import StandIns
from replay.redaction.token import mark_length
from replay.redaction.word import listed

_SCHEME = (
    r"(?i)(basic|bearer|token|digest|apikey|api-key|key|negotiate|hmac|jwt|dpop|oauth|"
    r"sharedaccesssignature|aws4-hmac-sha256)\s+(?=\S)"
)
_THREE_PARTS = r"eyJ(?<![A-Za-z0-9_-]eyJ)[A-Za-z0-9_-]{5,}\.([A-Za-z0-9_-]{4,})\.?([A-Za-z0-9_-]*)"
_PRIVATE = r"(-----BEGIN [^-]{1,60}-----)([^-]*)(-----END [^-]{1,60}-----\s*)?\Z"
_BASIC = r"(?i)basic\s{1,3}([A-Za-z0-9+/]{8,}={0,2})"
_ATTRIBUTES = frozenset(
    listed(
        "path domain expires max-age samesite secure httponly priority partitioned version comment"
    )
)
_MIN_RANDOM_LENGTH = 16


def redact_credential(
    text: str, name: str, redact_claims: Callable[[str], str], stand_ins: StandIns
) -> str:
    """Return the whole value of a secret name, replaced."""
    scheme = re.match(_SCHEME, text)
    if scheme is not None:
        rest = text[scheme.end() :]
        if scheme[1].lower() == "basic":
            return scheme[0] + (_basic(rest, name, stand_ins) or stand_ins.of(rest, name))
        return scheme[0] + redact_credential(rest, name, redact_claims, stand_ins)
    if text.startswith("eyJ") and re.fullmatch(_THREE_PARTS, text):
        return redact_tokens(text, redact_claims, stand_ins, name)
    block = re.match(_PRIVATE, text)
    if block is not None:
        return block[1] + stand_ins.of(block[2], name) + (block[3] or "")
    kept = mark_length(text)
    return text[:kept] + stand_ins.of(text[kept:], name)


def redact_tokens(
    text: str, redact_claims: Callable[[str], str], stand_ins: StandIns, name: str = "token"
) -> str:
    """Return a text with the signature of each JSON web token broken and secret claims replaced."""

    def replace(match: re.Match[str]) -> str:
        claims, signature = match[1], match[2]
        plain = _decoded(claims)
        if plain is None or not plain.startswith("{"):
            return match[0] if "." not in match[0][3:] else _without(match, stand_ins, name)
        redacted = redact_claims(plain)
        kept = claims
        if redacted != plain:
            kept = base64.encoded(redacted.encode(), for_addresses=True, padded=False)
        head = match[0][: match.start(1) - match.start()]
        return head + kept + ("." if signature else "") + stand_ins.of(signature, name)

    return re.sub(_THREE_PARTS, replace, text)


def redact_basic(text: str, stand_ins: StandIns) -> str:
    """Return a text with the passwords of `Basic` credentials in it replaced."""

    def replace(match: re.Match[str]) -> str:
        return match[0][: -len(match[1])] + (
            _basic(match[1], "authorization", stand_ins) or match[1]
        )

    return re.sub(_BASIC, replace, text)


def redact_cookies(text: str, redact: Callable[[str], str], stand_ins: StandIns) -> str:
    """Return the cookies of a header with the values replaced that let their bearer in."""
    return ";".join(_cookie(pair, redact, stand_ins) for pair in text.split(";"))


def _cookie(pair: str, redact: Callable[[str], str], stand_ins: StandIns) -> str:
    name, equals, value = pair.partition("=")
    plain_name = name.strip()
    if not equals or plain_name.lower() in _ATTRIBUTES:
        return pair
    if is_secret_cookie(plain_name) or (is_random(value) and not is_visitor_cookie(plain_name)):
        return f"{name}={redact_credential(value, plain_name, redact, stand_ins)}"
    return f"{name}={redact(value)}"


def is_opaque(value: str, name: str) -> bool:
    """Whether a text under a name that may mean a credential is one: product codes are not."""
    is_of_one_case = value in (value.lower(), value.upper())
    return is_random(value) and not (name == CODE and is_of_one_case)


def is_random(value: str) -> bool:
    """Whether a text looks like a draw, and not like what somebody has written."""
    has_both = any(it.isdigit() for it in value) and any(it.isalpha() for it in value)
    return len(value) >= _MIN_RANDOM_LENGTH and has_both and not set(" {}[],") & set(value)


def _without(match: re.Match[str], stand_ins: StandIns, name: str) -> str:
    return match[0][:3] + stand_ins.of(match[0][3:], name)


def _basic(encoded: str, name: str, stand_ins: StandIns) -> str | None:
    try:
        user, colon, password = a2b_base64(encoded).decode().partition(":")
    except (Base64Error, UnicodeDecodeError):
        return None
    if not colon:
        return None
    secret_user = stand_ins.of(user, name) if not password else user
    plain = f"{secret_user}:{stand_ins.of(password, name)}"
    return base64.encoded(plain.encode(), for_addresses=False, padded=True)


def _decoded(claims: str) -> str | None:
    content = base64.decoded(claims)
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError:
        return None
