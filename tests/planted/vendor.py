"""Values shaped like those of vendors, all invented: put together from pieces, so that no line holds one whole."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
HEX = "0123456789abcdef"
BASE64 = ALNUM + "+/"
URLSAFE = ALNUM + "-_"
DIGIT = "0123456789"


def noise(label: str, length: int, alphabet: str = ALNUM) -> str:
    """Characters that look random, always the same for a label."""
    out = ""
    turn = 0
    while len(out) < length:
        for byte in hashlib.sha512(f"planted/{label}/{turn}".encode()).digest():
            if byte < 256 - 256 % len(alphabet):
                out += alphabet[byte % len(alphabet)]
        turn += 1
    return out[:length]


def hexes(label: str, length: int) -> str:
    """Hexadecimal digits, as in digests and in the keys of several vendors."""
    return noise(label, length, HEX)


def uuid(label: str) -> str:
    """A random-looking UUID of version 4."""
    raw = hexes("uuid" + label, 32)
    return "-".join([raw[:8], raw[8:12], "4" + raw[13:16], "a" + raw[17:20], raw[20:]])


def github(label: str) -> str:
    return "gh" + "p_" + noise(label, 36)


def stripe(label: str) -> str:
    return "sk" + "_live_" + noise(label, 24)


def slack(label: str) -> str:
    return (
        "xo"
        + "xb-"
        + noise(label, 12, DIGIT)
        + "-"
        + noise(label + "b", 13, DIGIT)
        + "-"
        + noise(label + "c", 24)
    )


def slack_hook(label: str) -> str:
    """The path of an incoming webhook."""
    return "/".join(
        ["T0" + noise(label, 9, UPPER), "B0" + noise(label + "b", 9, UPPER), noise(label + "c", 24)]
    )


def google(label: str) -> str:
    return "AI" + "za" + noise(label, 35, URLSAFE)


def google_oauth(label: str) -> str:
    return "ya" + "29." + "a0" + noise(label, 120, URLSAFE)


def sendgrid(label: str) -> str:
    return "S" + "G." + noise(label, 22, URLSAFE) + "." + noise(label + "b", 43, URLSAFE)


def twilio(label: str) -> str:
    return "S" + "K" + hexes(label, 32)


def npm(label: str) -> str:
    return "np" + "m_" + noise(label, 36)


def shopify(label: str) -> str:
    return "shp" + "at_" + hexes(label, 32)


def azure(label: str) -> str:
    """The key of an Azure storage account."""
    return noise(label, 86, BASE64) + "=="


def aws_secret(label: str) -> str:
    return noise(label, 40, BASE64)


def aws_key_id(label: str, prefix: str = "AKIA") -> str:
    return prefix + noise(label, 16, UPPER)


def aws_session(label: str) -> str:
    return "IQoJ" + "b3JpZ2luX2Vj" + noise(label, 300, BASE64) + "=="


def bcrypt(label: str) -> str:
    return "$2" + "b$12$" + noise(label, 53, ALNUM + "./")


def bare(data: Any) -> str:
    """Base64 for URLs, without padding, of some JSON."""
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


def jwt(label: str, **claims: Any) -> str:
    head = bare({"alg": "RS256", "typ": "JWT", "kid": noise("kid" + label, 8)})
    body = bare({"sub": uuid(label), "iat": 1718635961, "exp": 1718639561, **claims})
    return ".".join([head, body, noise(label, 86, URLSAFE)])


def pem(label: str, what: str = "RSA PRIVATE" + " KEY", lines: int = 12) -> str:
    rows = [noise(f"{label}{row}", 64, BASE64) for row in range(lines)]
    dash = "-" * 5
    return "\n".join([dash + "BEGIN " + what + dash, *rows, dash + "END " + what + dash, ""])


def luhn_sum(digits: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(digits.replace(" ", ""))):
        number = int(digit) * (2 if place % 2 else 1)
        total += number - 9 if number > 9 else number
    return total % 10


def card(first: str) -> str:
    """A card number which passes the check: the given digits and a last one."""
    return first + str(-luhn_sum(first + "0") % 10)


def order(first: str) -> str:
    """Digits which fail the check."""
    return first + str((-luhn_sum(first + "0") + 3) % 10)
