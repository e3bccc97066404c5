"""Invented values and wrappings. Everything is derived from a tag, so the set is the same in every run."""

from __future__ import annotations

import base64
import gzip
import json
import random
import string
from typing import Any, Dict, Mapping, Tuple, Union
from urllib.parse import urlencode

WORD = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"
URLSAFE = WORD + "-_"
BASE32 = string.ascii_uppercase + "234567"


def noise(tag: str, length: int, letters: str = WORD) -> str:
    """Random looking characters; the first and the last are never punctuation."""
    dice = random.Random("third/" + tag)
    text = [dice.choice(letters) for _ in range(length)]
    plain = [letter for letter in letters if letter.isalnum()]
    text[0], text[-1] = dice.choice(plain), dice.choice(plain)
    return "".join(text)


def hexed(tag: str, length: int) -> str:
    return noise(tag, length, HEX)


def digits(tag: str, length: int) -> str:
    return noise(tag, length, string.digits)


def uuid(tag: str) -> str:
    raw = hexed(tag, 32)
    return "-".join((raw[:8], raw[8:12], "4" + raw[13:16], "a" + raw[17:20], raw[20:]))


def b64(data: str | bytes) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def seg(data: Any) -> str:
    """One part of a JWT."""
    return base64.urlsafe_b64encode(dumps(data).encode()).decode().rstrip("=")


def jwt(tag: str, claims: dict[str, Any], alg: str = "HS256", **header: str) -> str:
    length = 43 if alg == "HS256" else 342
    return ".".join(
        (seg({"alg": alg, "typ": "JWT", **header}), seg(claims), noise(tag, length, URLSAFE))
    )


def dumps(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"))


def zipped(data: Any) -> bytes:
    return gzip.compress((data if isinstance(data, str) else dumps(data)).encode(), mtime=0)


def form(pairs: Mapping[str, str]) -> str:
    return urlencode(dict(pairs))


def dynamo(data: Any) -> dict[str, Any]:
    """DynamoDB's typed form of plain data."""
    if data is None:
        return {"NULL": True}
    if isinstance(data, bool):
        return {"BOOL": data}
    if isinstance(data, (int, float)):
        return {"N": str(data)}
    if isinstance(data, str):
        return {"S": data}
    if isinstance(data, list):
        return {"L": [dynamo(value) for value in data]}
    return {"M": {key: dynamo(value) for key, value in data.items()}}


def item(data: dict[str, Any]) -> dict[str, Any]:
    return {key: dynamo(value) for key, value in data.items()}


def doubled(text: str) -> int:
    """The Luhn sum of a text of digits, modulo ten: zero for a valid card number."""
    total = 0
    for place, digit in enumerate(reversed([int(letter) for letter in text])):
        total += digit if place % 2 == 0 else sum(divmod(digit * 2, 10))
    return total % 10


def pan(tag: str, prefix: str, length: int = 16) -> str:
    """A card number with its check digit."""
    head = prefix + digits(tag, length - 1 - len(prefix))
    return next(head + last for last in string.digits if doubled(head + last) == 0)


def spaced(number: str, gap: str = " ") -> str:
    return gap.join(number[at : at + 4] for at in range(0, len(number), 4))


def pem(tag: str, label: str, lines: int = 6) -> tuple[str, str]:
    """A private key's text, and one line of its inside."""
    body = [noise(f"{tag}/{number}", 64, WORD + "+/") for number in range(lines)]
    body[0] = "MII" + body[0][3:]
    whole = "\n".join([f"-----BEGIN {label}-----", *body, f"-----END {label}-----"]) + "\n"
    return whole, body[lines // 2]
