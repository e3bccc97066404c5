"""Self-test of the set: `python -m third.check` prints the counts and what is wrong, if anything."""

from __future__ import annotations

import base64
import gzip
import json
import re
import sys
from collections import Counter
from typing import Any, Iterator, List, Optional
from urllib.parse import unquote, unquote_plus

from . import Planted, invocations
from .forge import doubled

PLACES = (
    "header",
    "multi-value header",
    "cookie",
    "query",
    "path",
    "JSON body",
    "nested JSON string",
    "base64 body",
    "gzip",
    "form body",
    "SNS in SQS",
    "DynamoDB type",
    "Kinesis",
    "authorizer",
    "client context",
    "environment",
    "outbound header",
    "outbound body",
    "outbound url",
    "answer body",
    "answer header",
    "AWS parameter",
    "AWS answer",
    "result",
    "error text",
    "traceback",
)
DEEPEST = 20


def opened(data: bytes) -> str | None:
    """The text in some bytes, through gzip if need be."""
    try:
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
    except (UnicodeDecodeError, OSError, EOFError):
        return None
    return text if all(letter.isprintable() or letter in "\r\n\t" for letter in text) else None


def texts(data: Any, depth: int = 0) -> Iterator[str]:
    """Every text in the data, undone as deeply as it goes."""
    if depth > DEEPEST or data is None:
        return
    if isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from texts(value, depth + 1)
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from texts(value, depth + 1)
    elif isinstance(data, bytes):
        yield from texts(opened(data), depth + 1)
    elif isinstance(data, str):
        yield data
        if data.lstrip()[:1] in ("{", "[", '"'):
            try:
                yield from texts(json.loads(data), depth + 1)
            except ValueError:
                pass
        for other in {unquote(data), unquote_plus(data)} - {data}:
            yield from texts(other, depth + 1)
        for word in re.findall(r"[A-Za-z0-9+/_-]{8,}", data):
            plain = word.replace("-", "+").replace("_", "/")
            if len(plain) % 4 != 1:
                yield from texts(
                    opened(base64.b64decode(plain + "=" * (-len(plain) % 4))), depth + 1
                )
    else:
        yield str(data)


def wrong(one: Planted) -> Iterator[str]:
    """What is wrong with one invocation."""
    parts = [one.event, one.client_context, one.environment, one.aws, one.returned, one.raised]
    json.dumps(parts)
    found = list(texts([*parts, one.requests]))
    if one.raised is not None:
        if one.returned is not None:
            yield "both returned and raised"
        compile(one.raised["locals_line"], one.name, "exec")
    if not all(isinstance(value, str) for value in one.environment.values()):
        yield "an environment value is no text"
    for label, value in [("secret", s.value) for s in one.secrets] + [
        ("benign", b.value) for b in one.benign
    ]:
        if not any(value in text for text in found):
            yield f"{label} {value!r} is not there"
        if len(value) < 4:
            yield f"{label} {value!r} is too short"
    for secret in one.secrets:
        if secret.kind == "card number" and doubled(re.sub(r"\D", "", secret.value)):
            yield f"card {secret.value!r} fails the check"
        if len(secret.value) < 9:
            alone = re.compile(r"(?<![0-9A-Za-z])" + re.escape(secret.value) + r"(?![0-9A-Za-z])")
            for text in found:
                if text.count(secret.value) != len(alone.findall(text)):
                    yield f"secret {secret.value!r} also occurs within {text[:60]!r}"


def problems() -> list[str]:
    """What is wrong with the set; empty when nothing is."""
    every = invocations()
    secrets = [secret for one in every for secret in one.secrets]
    benign = [value for one in every for value in one.benign]
    out = [f"{one.name}: {what}" for one in every for what in wrong(one)]
    if every != invocations():
        out.append("two builds differ")
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
            f"{type(other).__name__} {other.value!r} contains secret {secret.value!r}"
            for other in [*secrets, *benign]
            if other is not secret and secret.value in other.value
        ]
    for what, count, least in (
        ("secrets", len(secrets), 160),
        ("benign", len(benign), 160),
        ("invocations", len(every), 16),
        ("sources", len({one.source for one in every}), 14),
    ):
        if count < least:
            out.append(f"only {count} {what}")
    for place in PLACES:
        for label, places in (
            ("secret", {s.place for s in secrets}),
            ("benign", {b.place for b in benign}),
        ):
            if place not in places:
                out.append(f"no {label} in {place}")
    for clue in ("name", "shape", "both"):
        count = sum(secret.clue == clue for secret in secrets)
        if not 0.28 <= count / len(secrets) <= 0.39:
            out.append(f"{count} of {len(secrets)} secrets given away by {clue}")
    share = sum(value.lookalike for value in benign) / max(len(benign), 1)
    if not 0.22 <= share <= 0.3:
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
    hidden: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for one in every:
        hidden[one.source] += len(one.secrets)
        kept[one.source] += len(one.benign)
    rows.append(
        "by source (secrets/benign): "
        + ", ".join(f"{key} {hidden[key]}/{kept[key]}" for key in hidden)
    )
    return "\n".join(rows)


if __name__ == "__main__":
    print(counts())
    complaints = problems()
    print("\n".join(complaints) or "no problems")
    sys.exit(bool(complaints))
