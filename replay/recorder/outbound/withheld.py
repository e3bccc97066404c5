"""What of a call is not kept: credentials, and what differs each time without meaning anything.

A credential keeps its name with the value `replay-withheld`, so that two calls which differ in
nothing else are the same call. AWS's signatures and dates go with their names.
"""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode, urlsplit, urlunsplit

import orjson

from replay.interaction import Header
from replay.redaction.stand_in import WITHHELD

_FLEETING = frozenset(
    {
        "accept-encoding",
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "connection",
        "content-length",
        "date",
        "host",
        "traceparent",
        "tracestate",
        "transfer-encoding",
        "user-agent",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-user-agent",
        "x-amzn-trace-id",
    }
)
"""Headers of a request that say nothing of what is asked for."""
_SIGNATURES = frozenset(
    {
        "awsaccesskeyid",
        "signature",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-user-agent",
    }
)
"""Parameters of a signed URL that its credentials and its day decide."""
_FORM_SIGNATURES = _SIGNATURES | {"policy", "x-amz-algorithm"}
"""Fields of a signed form: the policy holds what it allows, with the token."""
_CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_CREDENTIAL_WORDS = ("secret", "token", "passw", "passphrase", "credential", "signature")
_CREDENTIAL_NAMES = frozenset(
    {
        *("apikey", "accesskey", "privatekey", "secretkey", "sharedkey", "authkey", "xapikey"),
        *("pwd", "sig", "jwt", "auth", "xauth", "authentication", "authorization"),
    }
)
_KNOWN_HARMLESS = frozenset({"nexttoken", "paginationtoken", "continuationtoken", "maxtokens"})
_MAY_HOLD = re.compile("|".join(_CREDENTIAL_WORDS) + "|key|pwd|auth|jwt|sig", re.IGNORECASE)
_FORM = "application/x-www-form-urlencoded"


def kept_headers(headers: Iterable[Header], *, of_request: bool) -> tuple[Header, ...]:
    """Return the headers that are kept, in their order; of a request without the fleeting ones.

    What an answer hands out, say a token for the next call, the program sends on: it is kept.
    """
    if not of_request:
        return tuple((name, _kept_answer(name, value)) for name, value in headers)
    return tuple(
        (name, WITHHELD if _is_credential_header(name) else value)
        for name, value in headers
        if name.lower() not in _FLEETING
    )


def kept_url(url: str) -> str:
    """Return a URL without user info, signature and fragment, with its credentials withheld."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(_kept_pairs(parts.query))
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def without_signature(url: str) -> str:
    """Return a URL without what its credentials and its day decide; raises ValueError."""
    parts = urlsplit(url)
    pairs = [
        pair
        for pair in parts.query.split("&")
        if unquote_plus(pair.partition("=")[0]).lower() not in _SIGNATURES
    ]
    return urlunsplit(parts._replace(query="&".join(pairs)))


def kept_body(body: bytes, content_type: str) -> bytes:
    """Return the body of a request, with credentials of a form or a JSON document withheld."""
    kind = content_type.lower()
    if kind.startswith(_FORM):
        return _kept_form(body)
    if kind.startswith("multipart/") and "boundary=" in kind:
        boundary = content_type[kind.index("boundary=") + len("boundary=") :]
        return _kept_multipart(body, b"--" + boundary.partition(";")[0].strip('" ').encode())
    if "json" in kind or body[:1] in (b"{", b"["):
        return _kept_json(body)
    return body


def kept_text(text: str) -> str:
    """Return a text with the credentials in it withheld where it is a JSON document."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    return _kept_json(text.encode(errors="replace")).decode() if _MAY_HOLD.search(text) else text


def is_credential(name: str) -> bool:
    """Whether a name is one that credentials have: its words count, not how they are written."""
    folded = "".join(character for character in name.lower() if character.isalnum())
    if folded in _KNOWN_HARMLESS:
        return False
    return folded in _CREDENTIAL_NAMES or any(word in folded for word in _CREDENTIAL_WORDS)


def _kept_answer(name: str, value: str) -> str:
    if name.lower() == "set-cookie":  # a client keeps the cookie, whatever it holds
        cookie, semicolon, attributes = value.partition(";")
        return f"{cookie.partition('=')[0]}={WITHHELD}{semicolon}{attributes}"
    return WITHHELD if name.lower() in _CREDENTIAL_HEADERS else value


def _is_credential_header(name: str) -> bool:
    folded = name.lower()
    is_key = folded.endswith("key") and "idempotency" not in folded
    return folded in _CREDENTIAL_HEADERS or is_key or is_credential(name)


def _kept_pairs(query: str) -> Iterable[str]:
    for pair in query.split("&") if query else ():
        name, equals, _ = pair.partition("=")
        plain = unquote_plus(name)
        if plain.lower() in _SIGNATURES:
            continue
        is_withheld = equals and (is_credential(plain) or plain.lower() == "key")
        yield f"{name}={quote(WITHHELD)}" if is_withheld else pair


def _kept_form(body: bytes) -> bytes:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return body
    if not any(_is_withheld_field(name) for name, _ in pairs):
        return body
    return urlencode(
        [(name, WITHHELD if _is_withheld_field(name) else value) for name, value in pairs]
    ).encode()


def _is_withheld_field(name: str) -> bool:
    return is_credential(name) or name.lower() in _FORM_SIGNATURES


def _kept_multipart(body: bytes, delimiter: bytes) -> bytes:
    return delimiter.join(_kept_part(part) for part in body.split(delimiter))


def _kept_part(part: bytes) -> bytes:
    head, blank, _ = part.partition(b"\r\n\r\n")
    _, named, rest = head.partition(b'name="')
    name = rest.partition(b'"')[0].decode(errors="replace")
    if not (blank and named and _is_withheld_field(name)):
        return part
    return head + blank + WITHHELD.encode() + b"\r\n"


def _kept_json(body: bytes) -> bytes:
    try:
        value = orjson.loads(body)
    except ValueError:
        return body
    found: list[str] = []
    kept = _without_credentials(value, found)
    return orjson.dumps(kept) if found else body


def _without_credentials(value: object, found: list[str]) -> object:
    if isinstance(value, dict):
        return {
            name: _withheld(name, found)
            if is_credential(name) and isinstance(item, str)
            else _without_credentials(item, found)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_without_credentials(item, found) for item in value]
    return value


def _withheld(name: str, found: list[str]) -> str:
    found.append(name)
    return WITHHELD
