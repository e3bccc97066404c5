"""Base64 as it comes: padded or not, with the characters of addresses or without.

Standard library only; `binascii`, since the library's own `base64` costs more to import.
"""

from binascii import Error, a2b_base64, b2a_base64


def decoded(text: str) -> bytes | None:
    """Return what base64 holds, of either alphabet, padded or not; None where it is none."""
    standard = text.replace("-", "+").replace("_", "/")
    try:
        return a2b_base64(standard + "=" * (-len(standard) % 4))
    except Error:
        return None


def encoded(content: bytes, *, for_addresses: bool, padded: bool) -> str:
    """Return content in base64, in the alphabet of addresses or the standard one."""
    text = b2a_base64(content, newline=False).decode()
    if for_addresses:
        text = text.replace("+", "-").replace("/", "_")
    return text if padded else text.rstrip("=")
