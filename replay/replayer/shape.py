"""When two values have the same shape: what a value that varies by nature keeps. Pure.

A time keeps its notation and its distance from the clock, a UUID its version and its spelling, a
token its length and its constant segments, a set its members, an address the text around it.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import takewhile

_HEX = "[0-9a-fA-F]"
_UUID = re.compile(rf"{_HEX}{{8}}-{_HEX}{{4}}-(\w){_HEX}{{3}}-{_HEX}{{4}}-{_HEX}{{12}}\Z")
_ADDRESS = re.compile(r"0x[0-9a-f]{6,16}")
_DAY, _MONTH = "Mon|Tue|Wed|Thu|Fri|Sat|Sun", "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?"
    rf"|(?:{_DAY}), \d\d[ -](?:{_MONTH})[ -]\d{{4}} \d\d:\d\d:\d\d GMT"
    r"|(?<!\d)\d{8}T\d{6}(?:[.,]?\d{1,6})?Z?(?!\d)"
    r"|(?<!\d)\d{4}/\d\d/\d\d[/ T_-]\d\d[:-]\d\d[:-]\d\d(?:[.,]\d{1,6})?"
)
"""As of ISO 8601, as HTTP writes it (RFC 9110, section 5.6.7), and as keys of objects hold it."""
_OFFSET = re.compile(r"[+-]\d\d:?\d\d\Z")
_HTTP_TIME = "%a, %d %b %Y %H:%M:%S GMT"
_NAMES = re.compile(f"{_DAY}|{_MONTH}")
_FRACTION = re.compile(r"[.,]\d+")
_DIGITS = re.compile(r"(?<![\w.])(?<![^A-Za-z_]-)\d{10,19}(?:\.\d+)?(?!\w|-\d)")
"""A hyphen before it is a separator behind a letter alone."""
_DIGEST = re.compile(r"(?=.*\d)(?:[0-9a-f]{16,}|[0-9A-F]{16,}|[0-9A-Za-z+/_-]{22,}={0,2})\Z")
_MOST_DIGITS_MORE = 2
_TOKEN = re.compile(r"[\w+/=~.-]*\Z", re.ASCII)
_SEPARATORS = re.compile(r"[^0-9A-Za-z]+")
_SHORTEST_CONSTANT = 3
_LEAST_SHIFT = 20
_SPAN_LIMIT = 2_000
_LEAST_EPOCH_SHIFT = 90_000
_EPOCH_UNITS_PER_MS = (0.001, 1, 1_000, 1_000_000)
"""Seconds, milliseconds, microseconds and nanoseconds since the epoch, as found in payloads."""
_NS_PER_MS = 1_000_000
_EPOCH_WINDOW_MS = 400 * 86_400_000


def epoch_unit(value: object, instant_ms: float) -> float | None:
    """Return units per millisecond of a number that is a time around `instant_ms`, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    near = [u for u in _EPOCH_UNITS_PER_MS if abs(value / u - instant_ms) < _EPOCH_WINDOW_MS]
    return near[0] if near else None


def is_same_time(
    recorded: object, replayed: object, instant_ms: float, tolerance_ms: float
) -> bool:
    """Whether both are times in the same notation, at most `tolerance_ms` apart."""
    if isinstance(recorded, str) and isinstance(replayed, str):

        def is_close(one: str, other: str) -> bool:
            return _are_close_texts(one, other, instant_ms, tolerance_ms)

        return any(_is_same_rest(recorded, replayed, form, is_close) for form in (_TIME, _DIGITS))
    if isinstance(recorded, int | float) and isinstance(replayed, int | float):
        return _are_close_numbers(recorded, replayed, instant_ms, tolerance_ms)
    return False


def is_same_span(recorded: object, replayed: object, tolerance_ms: float) -> bool:
    """Whether both are numbers that could be how long something took, in whatever unit."""
    if isinstance(recorded, bool) or not isinstance(recorded, int | float):
        return False
    if not isinstance(replayed, int | float) or min(recorded, replayed) < 0:
        return False
    return abs(recorded - replayed) <= tolerance_ms * _NS_PER_MS


def is_moved_as_time(replayed: object, elsewhere: object) -> bool:
    """Whether a value moved with the clock as a time does, or a span that is left of one.

    The second look takes 41 ms of the remaining time; a number that moved by less or by far more,
    and is no time itself, counts something else, such as days.
    """
    if not isinstance(replayed, int | float) or not isinstance(elsewhere, int | float):
        return True
    moved = abs(replayed - elsewhere)
    return moved >= _LEAST_SHIFT and not _SPAN_LIMIT < moved < _LEAST_EPOCH_SHIFT


def without_times(
    recorded: object, replayed: object, instant_ms: float, tolerance_ms: float
) -> tuple[object, object]:
    """Return two texts without the times in them, where those are pairwise the same."""
    if not isinstance(recorded, str) or not isinstance(replayed, str):
        return recorded, replayed
    for form in (_TIME, _DIGITS):
        found = form.findall(recorded), form.findall(replayed)
        if found[0] and len(found[0]) == len(found[1]):
            pairs = zip(*found, strict=True)
            if all(_are_close_texts(a, b, instant_ms, tolerance_ms) for a, b in pairs):
                recorded, replayed = form.sub("@", recorded), form.sub("@", replayed)
    return recorded, replayed


def is_same_address(recorded: object, replayed: object) -> bool:
    """Whether two texts are alike but for the addresses of objects in them."""
    if not isinstance(recorded, str) or not isinstance(replayed, str):
        return False
    return _is_same_rest(recorded, replayed, _ADDRESS, lambda _one, _other: True)


def is_same_uuid(recorded: object, replayed: object) -> bool:
    """Whether both are UUIDs of one version, spelt alike."""
    if not isinstance(recorded, str) or not isinstance(replayed, str):
        return False
    form = _uuid_form(recorded)
    return form is not None and form == _uuid_form(replayed)


def is_same_token(recorded: object, replayed: object, elsewhere: object) -> bool:
    """Whether two texts differ only where a number, or a run of random characters, may stand.

    `elsewhere` is the replayed value in another world: what it shares with the replayed one is
    constant, and so must be shared by the recorded one.
    """
    if not isinstance(recorded, str) or not isinstance(replayed, str):
        return False
    if _uuid_form(recorded) != _uuid_form(replayed):
        return False
    if _TIME.search(recorded) or _TIME.search(replayed):
        return False  # a time that is not the same is no token
    if len(recorded) != len(replayed):  # a number inside a sentence
        is_near = abs(len(recorded) - len(replayed)) <= _MOST_DIGITS_MORE
        return is_near and _without_digits(recorded) == _without_digits(replayed) != recorded
    unlike = [pair for pair in zip(recorded, replayed, strict=True) if pair[0] != pair[1]]
    is_token = all(_TOKEN.match("".join(pair)) for pair in unlike)
    return is_token and _keeps_constants(recorded, replayed, str(elsewhere))


def is_same_digest(recorded: object, replayed: object, elsewhere: object) -> bool:
    """Whether two texts are tokens as a hash gives them: nothing of what it was made of shows."""
    texts = (recorded, replayed, elsewhere)
    is_digest = all(isinstance(it, str) and _DIGEST.match(it) for it in texts)
    return is_digest and is_same_token(recorded, replayed, elsewhere)


def is_same_number(recorded: object, replayed: object, instant_ms: float) -> bool:
    """Whether two numbers could be draws of one kind: no times, and both below 1 or neither."""
    if isinstance(recorded, bool) or not isinstance(recorded, int | float):
        return False
    if not isinstance(replayed, int | float) or epoch_unit(recorded, instant_ms) is not None:
        return False
    return _is_fraction(recorded) == _is_fraction(replayed)


def _is_fraction(value: float) -> bool:
    return isinstance(value, float) and 0 <= value < 1


def is_same_set(recorded: object, replayed: object) -> bool:
    """Whether two texts hold the same words in another order."""
    if not isinstance(recorded, str) or not isinstance(replayed, str):
        return False
    words = [sorted(_SEPARATORS.split(text)) for text in (recorded, replayed)]
    separators = [sorted(_SEPARATORS.findall(text)) for text in (recorded, replayed)]
    if len(words[0]) == 1:  # joined without a separator
        return sorted(recorded) == sorted(replayed)
    return words[0] == words[1] and separators[0] == separators[1]


def _is_same_rest(
    recorded: str, replayed: str, form: re.Pattern[str], is_same: Callable[[str, str], bool]
) -> bool:
    """Whether two texts are alike but for matches of `form`, which are pairwise the same."""
    found = form.findall(recorded), form.findall(replayed)
    if not found[0] or form.sub("", recorded) != form.sub("", replayed):
        return False
    return len(found[0]) == len(found[1]) and all(
        is_same(a, b) for a, b in zip(*found, strict=True)
    )


def _without_digits(text: str) -> str:
    return re.sub(r"\d+", "0", text)


def _uuid_form(text: str) -> tuple[str, bool] | None:
    match = _UUID.match(text)
    return (match[1], text == text.upper()) if match else None


def _keeps_constants(recorded: str, replayed: str, elsewhere: str) -> bool:
    if _uuid_form(recorded):
        return True
    ends = _constant_ends(replayed, elsewhere)
    if not recorded.startswith(ends[0]) or not recorded.endswith(ends[1]):
        return False
    parts = [_SEPARATORS.split(text) for text in (recorded, replayed, elsewhere)]
    if len({len(part) for part in parts}) > 1:
        return True
    return all(
        then == now
        for then, now, other in zip(*parts, strict=True)
        if now == other and len(now) >= _SHORTEST_CONSTANT
    )


def _constant_ends(one: str, other: str) -> tuple[str, str]:
    """Return what two texts begin and end with in common, each up to a separator."""
    start = re.match(r".*[^0-9A-Za-z]", _common_start(one, other), re.DOTALL)
    end = re.match(r".*[^0-9A-Za-z]", _common_start(one[::-1], other[::-1]), re.DOTALL)
    return (start[0] if start else "", end[0][::-1] if end else "")


def _common_start(one: str, other: str) -> str:
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return "".join(pair[0] for pair in pairs)


def _are_close_numbers(
    recorded: float, replayed: float, instant_ms: float, tolerance_ms: float
) -> bool:
    unit = epoch_unit(recorded, instant_ms)
    if unit is not None:
        return abs(recorded - replayed) / unit <= tolerance_ms
    # A time span, in whatever unit: what is at hand is how long things took on this machine.
    return min(recorded, replayed) >= 0 and abs(recorded - replayed) <= tolerance_ms


def _are_close_texts(recorded: str, replayed: str, instant_ms: float, tolerance_ms: float) -> bool:
    if recorded.replace(".", "").isdigit():
        if len(recorded.partition(".")[0]) != len(replayed.partition(".")[0]):
            return False
        return _are_close_numbers(float(recorded), float(replayed), instant_ms, tolerance_ms)
    if _notation(recorded) != _notation(replayed):
        return False
    if _OFFSET.findall(recorded) != _OFFSET.findall(replayed):
        return False
    times = [_epoch_ms(text) for text in (recorded, replayed)]
    if times[0] is None or times[1] is None:
        return False
    return abs(times[0] - times[1]) <= tolerance_ms


def _notation(time: str) -> str:
    # isoformat() leaves out a fraction of zero.
    return re.sub(r"\d", "0", _NAMES.sub("@", _FRACTION.sub("", time)))


def _spelt_out(text: str) -> str:
    """Return a time in one of the short notations as ISO 8601 has it."""
    digits = re.sub(r"\D", "", text)
    date, clock = digits[:8], digits[8:14]
    return f"{date}T{clock}.{digits[14:] or '0'}"


def _epoch_ms(text: str) -> float | None:
    try:
        if text.endswith("GMT"):
            moment = datetime.strptime(text.replace("-", " "), _HTTP_TIME).replace(tzinfo=UTC)
        else:
            moment = datetime.fromisoformat(text if "-" in text[:5] else _spelt_out(text))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000
