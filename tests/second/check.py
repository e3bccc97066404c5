"""Checks set B: `python -m second.check`."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, unquote_plus

from . import Planted, invocations
from .forge import checksum

DEEPEST = 12


def unwrapped(word: str) -> str | None:
    """The text in a base64 word, through gzip if need be."""
    if len(word) < 8 or not re.fullmatch(r"[A-Za-z0-9+/_-]+={0,2}", word):
        return None
    plain = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4))
        return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
    except (binascii.Error, UnicodeDecodeError, OSError, EOFError, zlib.error):
        return None


def texts(data: Any, depth: int = 0) -> Iterator[str]:
    """Every text in the data, decoded as deeply as it goes."""
    if depth > DEEPEST or data is None:
        return
    if isinstance(data, dict):
        for key, value in data.items():
            yield from texts(key, depth + 1)
            yield from texts(value, depth + 1)
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from texts(value, depth + 1)
    elif isinstance(data, bytes):
        try:
            yield from texts(
                (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode(), depth + 1
            )
        except UnicodeDecodeError:
            return
    elif isinstance(data, str):
        yield data
        if data.lstrip()[:1] in ("{", "[", '"'):
            try:
                yield from texts(json.loads(data), depth + 1)
            except ValueError:
                pass
        if "%" in data or "+" in data:
            for other in {unquote(data), unquote_plus(data)} - {data}:
                yield from texts(other, depth + 1)
        for word in re.findall(r"[A-Za-z0-9+/_-]{8,}={0,2}", data):
            inner = unwrapped(word)
            if (inner is not None and inner.isprintable()) or (inner is not None and "\n" in inner):
                yield from texts(inner, depth + 1)
    else:
        yield str(data)


def everything(one: Planted) -> list[str]:
    parts = [
        one.event,
        one.client_context,
        one.environment,
        one.requests,
        one.aws,
        one.returned,
        one.raised,
    ]
    return list(texts(parts))


def wrong(one: Planted) -> Iterator[str]:
    """What is wrong with one invocation."""
    found = everything(one)
    json.dumps([one.event, one.client_context, one.environment, one.aws, one.returned, one.raised])
    if one.raised is not None:
        if one.returned is not None:
            yield "both returned and raised"
        compile(one.raised["locals_line"], one.name, "exec")
    for secret in one.secrets:
        if not any(secret.value in text for text in found):
            yield f"secret {secret.value!r} is not there"
        if len(secret.value) < 4:
            yield f"secret {secret.value!r} is too short"
        if secret.kind == "card number" and checksum(secret.value):
            yield f"card {secret.value!r} fails the check"
        if len(secret.value) < 9:
            alone = re.compile(r"(?<![0-9A-Za-z])" + re.escape(secret.value) + r"(?![0-9A-Za-z])")
            for text in found:
                if text.count(secret.value) != len(alone.findall(text)):
                    yield f"secret {secret.value!r} also occurs within {text[:60]!r}"
    for value in one.benign:
        if not any(value.value in text for text in found):
            yield f"benign {value.value!r} is not there"
        if len(value.value) < 4:
            yield f"benign {value.value!r} is too short"


def problems() -> list[str]:
    """What is wrong with the set; empty when nothing is."""
    out: list[str] = []
    every = invocations()
    secrets = [secret for one in every for secret in one.secrets]
    benign = [value for one in every for value in one.benign]
    for one in every:
        out += [f"{one.name}: {what}" for what in wrong(one)]
    for label, values in (
        ("secret", [s.value for s in secrets]),
        ("benign", [b.value for b in benign]),
        ("invocation", [one.name for one in every]),
    ):
        out += [
            f"{label} {value!r} occurs {count} times"
            for value, count in Counter(values).items()
            if count > 1
        ]
    for secret in secrets:
        out += [
            f"benign {b.value!r} contains secret {secret.value!r}"
            for b in benign
            if secret.value in b.value
        ]
        out += [
            f"secret {s.value!r} contains secret {secret.value!r}"
            for s in secrets
            if s is not secret and secret.value in s.value
        ]
    sources: set[str] = {one.source for one in every}
    for what, count, least in (
        ("secrets", len(secrets), 160),
        ("benign", len(benign), 160),
        ("sources", len(sources), 14),
    ):
        if count < least:
            out.append(f"only {count} {what}")
    for clue, count in Counter(secret.clue for secret in secrets).items():
        if not 0.26 <= count / len(secrets) <= 0.42:
            out.append(f"{count} of {len(secrets)} secrets given away by {clue}")
    share = sum(value.lookalike for value in benign) / max(len(benign), 1)
    if not 0.2 <= share <= 0.35:
        out.append(f"{share:.0%} of the benign values are look-alikes")
    return out


def counts() -> str:
    """Counts by clue, kind, place and source."""
    every = invocations()
    secrets = [secret for one in every for secret in one.secrets]
    benign = [value for one in every for value in one.benign]
    rows = [
        (
            f"{len(every)} invocations, {len(secrets)} secrets, {len(benign)} benign "
            f"({sum(value.lookalike for value in benign)} look-alikes)"
        )
    ]
    for label, tally in (
        ("clue", Counter(s.clue for s in secrets)),
        ("kind", Counter(s.kind for s in secrets)),
        ("place", Counter(s.place for s in secrets)),
        ("benign place", Counter(b.place for b in benign)),
    ):
        rows.append(
            f"by {label}: " + ", ".join(f"{key} {count}" for key, count in tally.most_common())
        )
    origin: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for one in every:
        origin[one.source] += len(one.secrets)
        kept[one.source] += len(one.benign)
    rows.append(
        "by source (secrets/benign): "
        + ", ".join(f"{key} {origin[key]}/{kept[key]}" for key in origin)
    )
    return "\n".join(rows)


if __name__ == "__main__":
    print(counts())
    found = problems()
    print("\n".join(found) or "no problems")
    sys.exit(bool(found))
