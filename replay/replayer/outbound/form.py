"""The form in which two calls are compared: what means nothing does not count. Pure.

An AWS call is its parameters, an HTTP call its method, URL, query and body; JSON counts by value,
wherever it stands, and so do forms. DynamoDB's sets have no order. Headers do not say which call it
is, and count where two are compared. Credentials are withheld on both sides.
"""

import json
from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from replay.codec import Truncated
from replay.interaction import AwsCall, Body, Call, HttpCall
from replay.redaction.stand_in import WITHHELD
from replay.replayer.compare import ABSENT, Difference, differences, parsed
from replay.replayer.outbound.dynamodb import resolved

_ID_LENGTH = 20
"""A part of a path so long, or with a digit, is taken for the name of one thing among others."""
_SETS = frozenset({"SS", "NS", "BS"})
_OF_CLIENTS = frozenset({"cache-control", "expect", "pragma", "te"})
"""Headers that clients add of themselves, as `Accept: */*`; most of those are not even recorded."""
_OF_TRACERS = ("b3", "baggage", "newrelic", "sentry-", "uber-trace", "x-b3-", "x-datadog-", "x-ot-")
_OF_SDKS = ("x-client-", "x-goog-api-client", "x-ms-client-", "x-sdk-", "x-stainless-")
"""Beginnings of headers that tell of the program and the machine, and not of what is asked."""


@dataclass(frozen=True, slots=True)
class Formed:
    """A call with what it is compared by: its key, its form, and the groups that it is of.

    `meant` is the form as its service takes it, where that is another one.
    """

    call: Call
    key: bytes
    groups: tuple[tuple[str, ...], ...]
    form: Any
    meant: Any

    @classmethod
    def of(cls, call: Call) -> "Formed":
        """Return a call so prepared: comparing it with many costs no more than comparing."""
        form = form_of(call)
        meant = resolved(form) if _is_of_dynamodb(call) else form
        return cls(call, key_of(call), tuple(groups_of(call)), form, meant)


def form_of(call: Call) -> Any:
    """Return a call as plain data, numbers as `compare.parsed` gives them."""
    return parsed(json.dumps(_plain(_what(call))))


def key_of(call: Call) -> bytes:
    """Return what is equal for calls that ask the same: what they are called, and their form."""
    what = _folded(_plain(_what(call)))
    if _is_of_dynamodb(call):
        what = resolved(what)
    region = call.region if isinstance(call, AwsCall) else None
    try:
        return orjson.dumps([call.name, region, what], option=orjson.OPT_SORT_KEYS)
    except TypeError:  # integers over 64 bits, lone surrogates
        return json.dumps([call.name, region, what], sort_keys=True).encode()


def compare_calls(recorded: Call, replayed: Call) -> tuple[Difference, ...]:
    """Return where two calls of equal name differ; a path leads into the form."""
    return compare_formed(Formed.of(recorded), Formed.of(replayed))


def compare_formed(recorded: Formed, replayed: Formed) -> tuple[Difference, ...]:
    """Return what `compare_calls` does."""
    found = [*_differences(recorded, replayed), *compare_headers(recorded.call, replayed.call)]
    if isinstance(recorded.call, AwsCall) and isinstance(replayed.call, AwsCall):
        regions = recorded.call.region, replayed.call.region
        if regions[0] != regions[1]:
            found.append(Difference("$.region", *regions))
    # Nobody knows any more what was withheld once; another version may keep it.
    return tuple(it for it in found if it.recorded != WITHHELD or it.replayed is ABSENT)


def _differences(recorded: Formed, replayed: Formed) -> list[Difference]:
    found = list(differences(recorded.form, replayed.form))
    if not found or recorded.meant is recorded.form:
        return found
    meant = list(differences(recorded.meant, replayed.meant))
    return meant if len(meant) < len(found) else found  # else in the program's own words


def _is_of_dynamodb(call: Call) -> bool:
    return isinstance(call, AwsCall) and call.service == "dynamodb"


def compare_headers(recorded: Call, replayed: Call) -> tuple[Difference, ...]:
    """Return where the headers of two HTTP requests differ, but for what clients add themselves."""
    if not (isinstance(recorded, HttpCall) and isinstance(replayed, HttpCall)):
        return ()
    if recorded.headers == replayed.headers:
        return ()
    forms = (parsed(json.dumps({"headers": _headers(it)})) for it in (recorded, replayed))
    return tuple(differences(*forms))


def _headers(call: HttpCall) -> dict[str, str]:
    headers: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in call.headers:
        folded = name.lower()
        is_of_client = folded in _OF_CLIENTS or (folded, value) == ("accept", "*/*")
        is_of_client |= folded.startswith((*_OF_TRACERS, *_OF_SDKS)) or "user-agent" in folded
        if not is_of_client:
            headers[folded].append(value.partition("boundary=")[0].strip())
    return {name: ", ".join(values) for name, values in sorted(headers.items())}


def _what(call: Call) -> Any:
    return call.parameters if isinstance(call, AwsCall) else _http_form(call)


def groups_of(call: Call) -> list[tuple[str, ...]]:
    """Return what calls have in common of which one may stand for the other, the nearest first.

    Of HTTP it is method, host and path; of writes also the path alone.
    """
    if isinstance(call, AwsCall):
        return [(call.service, call.operation)]
    url = urlsplit(call.url)
    path = tuple("*" if _is_id(part) else part for part in url.path.split("/"))
    own = (call.method, url.netloc, *path)
    return [own] if call.is_read else [own, ("writes", *path)]


def _is_id(part: str) -> bool:
    return len(part) >= _ID_LENGTH or any(character.isdigit() for character in part)


def _http_form(call: HttpCall) -> dict[str, object]:
    url = urlsplit(call.url)
    form: dict[str, object] = {"method": call.method, "url": f"{url.scheme}://{url.netloc}"}
    form["path"] = url.path or "/"
    if url.query:
        form["query"] = _pairs(url.query)
    if call.body:
        form["body"] = _body_form(call)
    return form


def _body_form(call: HttpCall) -> object:
    headers = {name.lower(): value for name, value in call.headers}
    content_type = headers.get("content-type", "")
    body = call.body
    _, is_multipart, boundary = content_type.partition("boundary=")
    if is_multipart and isinstance(body, bytes):  # drawn anew for each request
        body = body.replace(boundary.strip('"').encode(), b"boundary")
    text = _text(body)
    if isinstance(text, str) and "x-www-form-urlencoded" in content_type:
        return _pairs(text)
    return text


def _pairs(query: str) -> dict[str, object]:
    values: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in parse_qsl(query, keep_blank_values=True):
        values[name].append(value)
    return {name: some[0] if len(some) == 1 else some for name, some in sorted(values.items())}


def _text(body: Body) -> object:
    if not isinstance(body, bytes):
        return _plain(body)
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(body).decode()}


def _plain(value: Any) -> Any:
    """Return a value of the codec as JSON has it; members of a set in one order."""
    if isinstance(value, Mapping):
        if len(value) == 1 and _SETS & value.keys():
            ((name, members),) = value.items()
            return {name: sorted(map(_plain, members), key=repr)}
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, Truncated):
        return {"size_bytes": value.size_bytes, "digest": value.digest}
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _folded(value: Any) -> Any:
    """Return plain data with the JSON in its texts as what it says."""
    if isinstance(value, dict):
        return {name: _folded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_folded(item) for item in value]
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            return {"json": _folded(orjson.loads(value))}
        except ValueError:
            return value
    return value
