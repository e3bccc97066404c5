"""Forged values: vendor-like tokens of several makers, keys, numbers and wrappings. None is real."""

from __future__ import annotations

import base64
import gzip
import json
import random
import string
from typing import Any

LETTER = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
SAFE = LETTER + "-_"
B64 = LETTER + "+/"
HEX = "0123456789abcdef"


def pick(seed: str, length: int, alphabet: str = LETTER) -> str:
    """Seeded noise."""
    return "".join(random.Random("second:" + seed).choices(alphabet, k=length))


def guid(seed: str) -> str:
    raw = pick("guid" + seed, 30, HEX)
    return f"{raw[:8]}-{raw[8:12]}-4{raw[12:15]}-9{raw[15:18]}-{raw[18:30]}"


# maker: the pieces before the noise, its length and alphabet, what follows
MAKER: dict[str, tuple[tuple[str, ...], int, str, str]] = {
    "gitlab": (("gl", "pat-"), 20, SAFE, ""),
    "pypi": (("py", "pi-", "AgEIcHlwaS5vcmc"), 110, SAFE, ""),
    "openai": (("s", "k-", "proj-"), 48, LETTER, ""),
    "anthropic": (("s", "k-", "ant-", "api03-"), 93, SAFE, "AA"),
    "stripe_restricted": (("r", "k_", "live_"), 24, LETTER, ""),
    "stripe_hook": (("wh", "sec_"), 32, LETTER, ""),
    "slack_user": (("xo", "xp-", "2311-4401-7723-"), 32, HEX, ""),
    "slack_app": (("xa", "pp-1-A0", "9K2-5512-"), 64, HEX, ""),
    "github_fine": (("github", "_pat_", "11A"), 79, LETTER, ""),
    "github_oauth": (("gh", "o_"), 36, LETTER, ""),
    "google_client": (("GO", "CSPX-"), 28, SAFE, ""),
    "vault": (("hv", "s.CAES"), 90, SAFE, ""),
    "digitalocean": (("do", "p_v1_"), 64, HEX, ""),
    "databricks": (("da", "pi"), 32, HEX, ""),
    "huggingface": (("h", "f_"), 34, string.ascii_letters, ""),
    "newrelic": (("NR", "AK-"), 27, string.ascii_uppercase, ""),
    "postman": (("PM", "AK-"), 24, HEX, ""),
    "linear": (("lin", "_api_"), 40, LETTER, ""),
    "notion": (("nt", "n_"), 46, LETTER, ""),
    "doppler": (("dp", ".pt."), 43, LETTER, ""),
    "square": (("sq0", "atp-"), 22, SAFE, ""),
    "mailgun": (("ke", "y-"), 32, HEX, ""),
    "shopify_shared": (("shp", "ss_"), 32, HEX, ""),
    "grafana": (("gl", "sa_"), 32, LETTER, "_" + "1f2e3d4c"),
    "telegram": (("5501", "938217", ":AA"), 33, SAFE, ""),
    "airtable": (("pat", "Qw7zT1mXc9LbKd."), 64, HEX, ""),
    "mapbox": (("s", "k.eyJ1Ijoi"), 60, LETTER, "." + "k3Xw0Qz7LmT2"),
    "sendinblue": (("xkey", "sib-"), 64, HEX, "-" + "Zk81mQw0Lp"),
}


def token(maker: str, seed: str) -> str:
    """A token in the manner of a maker."""
    head, length, alphabet, tail = MAKER[maker]
    return "".join(head) + pick(maker + seed, length, alphabet) + tail


def web_token(seed: str, algorithm: str = "HS256", **claims: Any) -> str:
    """A JWT."""
    parts = [
        {"alg": algorithm, "typ": "JWT"},
        {"sub": "n-" + pick("sub" + seed, 9), "exp": 1767225600, **claims},
    ]
    rows = [
        base64.urlsafe_b64encode(json.dumps(part, separators=(",", ":")).encode())
        .decode()
        .rstrip("=")
        for part in parts
    ]
    return ".".join([*rows, pick("jws" + seed, 43, SAFE)])


def armour(seed: str, label: str, rows: int = 7) -> str:
    """A PEM block."""
    rule = "-" * 5
    body = [pick(f"{label}{seed}{row}", 64, B64) for row in range(rows)]
    return "\n".join([f"{rule}BEGIN {label}{rule}", *body, f"{rule}END {label}{rule}"])


def secret_key(seed: str) -> str:
    """An AWS secret access key."""
    return pick("aws" + seed, 40, B64)


def session(seed: str) -> str:
    """An AWS session token."""
    return "FwoG" + "ZXIvYXdzE" + pick("ses" + seed, 260, B64) + "="


def checksum(digits: str) -> int:
    """The Luhn sum modulo ten."""
    numbers = [int(digit) for digit in digits if digit.isdigit()][::-1]
    return (sum(numbers[::2]) + sum(sum(divmod(2 * number, 10)) for number in numbers[1::2])) % 10


def pan(start: str) -> str:
    """A card number: start and check digit."""
    return start + str((10 - checksum(start + "0")) % 10)


def serial(start: str) -> str:
    """A long number which is no card's."""
    return start + str((16 - checksum(start + "0")) % 10)


def cpf(nine: str) -> str:
    """A Brazilian tax number with both check digits."""
    digits = [int(digit) for digit in nine]
    for _ in range(2):
        weight = len(digits) + 1
        rest = sum(digit * (weight - place) for place, digit in enumerate(digits)) * 10 % 11
        digits.append(rest % 10)
    text = "".join(map(str, digits))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"


def enc(data: Any) -> str:
    """Compact JSON."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def b64(data: Any) -> str:
    """Base64 of bytes, of a string, or of the JSON of anything else."""
    raw = (
        data if isinstance(data, bytes) else (data if isinstance(data, str) else enc(data)).encode()
    )
    return base64.b64encode(raw).decode()


def gz(data: Any) -> bytes:
    """Gzip of a string, or of the JSON of anything else."""
    return gzip.compress((data if isinstance(data, str) else enc(data)).encode(), mtime=0)
