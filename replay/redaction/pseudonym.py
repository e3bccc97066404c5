"""What stands in the place of a secret: a keyed pseudonym of the same form.

The same secret gives the same pseudonym wherever it stands, as long as the key is the same, so a
program that compares two of them still finds them equal. Digits stay digits, small letters small,
capitals capitals, and whatever else there is stays as it is: lengths, hyphens, the dots of an
address. A card number keeps its check digit. Without the key the secret cannot be found by trying.
"""

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from itertools import chain, islice, repeat

_HEX = "0123456789abcdef"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_UUID_KEPT = (14, 19)
"""Where a UUID tells its version and its variant."""
_UUID_HYPHENS = (8, 13, 18, 23)
_UUID_LENGTH = 36
_MAPPED_LENGTH = 4096
"""Characters of a secret that are mapped one by one; what follows becomes a row of one letter."""
_SEPARATORS = str.maketrans("", "", " -+")
_ISSUERS = {
    13: ("4",),
    14: ("30", "36", "38", "39"),
    15: ("34", "37"),
    16: ("22", "23", "24", "25", "26", "27", "35", "4", "5", "6"),
    **dict.fromkeys((17, 18), ("5", "6")),
    19: ("4", "5", "6"),
}
"""How the numbers of payment cards begin, by how many digits they have."""
_LONGEST_DIGITS = 19
_LARGEST = 1e300


class Pseudonyms:
    """The pseudonyms under one key of up to 64 bytes, which is asked for with the first."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = cache(key)
        self.of = lru_cache(maxsize=1024)(self._of)

    def _of(self, secret: str) -> str:
        """Return the pseudonym of a text, which differs from it unless nothing can be changed."""
        for attempt in range(8):
            pseudonym = _mapped(secret, self._stream(secret, attempt))
            if pseudonym != secret:
                return pseudonym
        return secret if not secret else "x" * len(secret)

    def of_number(self, secret: int | float) -> int | float:
        """Return the pseudonym of a number, of the same type, sign, digits' count and exponent."""
        head, e, exponent = str(abs(secret)).partition("e")
        mapped = self.of(head)
        if len(head) >= _LONGEST_DIGITS:
            mapped = "10" + mapped[2:]  # within 64 bits
        elif e or (len(mapped) > 1 and mapped[0] == "0" != head[0]):
            mapped = "1" + mapped[1:]
        number = type(secret)(mapped + e + exponent)
        if abs(number) > _LARGEST:
            number = type(secret)(_LARGEST)
        return (-number if secret < 0 else number) if mapped != head else secret + 1

    def _stream(self, secret: str, attempt: int) -> Iterator[int]:
        from hashlib import blake2b  # 3 ms, and there may be no secret

        content = secret.encode(errors="surrogatepass")
        for block in range(attempt << 32, (attempt + 1) << 32):
            salt = block.to_bytes(8, "big")
            yield from blake2b(content, key=self._key(), salt=salt, digest_size=64).digest()


def _mapped(secret: str, stream: Iterator[int]) -> str:
    if _is_uuid(secret):
        return _mapped_hex(secret, stream, kept=_UUID_KEPT)
    if _is_hex(secret):
        return _mapped_hex(secret, stream)
    mapped = "".join(map(_mapped_character, secret[:_MAPPED_LENGTH], stream))
    mapped += "x" * (len(secret) - _MAPPED_LENGTH)
    return _with_check_digit(secret[0] + mapped[1:]) if is_card(secret) else mapped


def _mapped_character(character: str, byte: int) -> str:
    if "0" <= character <= "9":
        return str(byte % 10)
    if character.isupper():
        return _LETTERS[byte % 26].upper()
    return _LETTERS[byte % 26] if character.isalpha() else character


def _is_uuid(text: str) -> bool:
    hyphens = tuple(at for at, it in enumerate(text[: _UUID_LENGTH + 1]) if it == "-")
    is_laid_out = len(text) == _UUID_LENGTH and hyphens == _UUID_HYPHENS
    return is_laid_out and all(it in "-0123456789abcdef" for it in text.lower())


def _is_hex(text: str) -> bool:
    has_both = any(it.isdigit() for it in text) and any(it.isalpha() for it in text)
    is_one_case = text == text.lower() or text == text.upper()
    return has_both and is_one_case and all(it in _HEX for it in text.lower())


def _mapped_hex(text: str, stream: Iterator[int], kept: tuple[int, ...] = ()) -> str:
    letters = _HEX.upper() if text == text.upper() else _HEX
    bytes_ = chain(islice(stream, _MAPPED_LENGTH), repeat(0))
    return "".join(
        it if it not in "0123456789abcdefABCDEF" or at in kept else letters[byte % 16]
        for at, (it, byte) in enumerate(zip(text, bytes_, strict=False))
    )


def is_card(text: str) -> bool:
    """Whether a text is the number of a payment card: its length, its issuer, its check digit."""
    digits = _digits_of(text)
    if not (digits.isdecimal() and digits.isascii() and len(digits) in _ISSUERS):
        return False
    return digits.startswith(_ISSUERS[len(digits)]) and len(set(digits)) > 1 and _luhn(digits) == 0


def _digits_of(card: str) -> str:
    """Return a card number without what stands between its groups."""
    return card.translate(_SEPARATORS)


def _luhn(digits: str) -> int:
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits))]
    return sum(value // 10 + value % 10 for value in doubled) % 10


def _with_check_digit(card: str) -> str:
    """Return a card number with its last digit such that it checks."""
    digits = _digits_of(card)
    check = (int(digits[-1]) - _luhn(digits)) % 10
    return card[:-1] + str(check)
