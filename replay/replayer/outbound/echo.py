"""What a handler draws anew in a replay, given back in the answers that gave back the recorded one.

A handler that writes under a fresh id and reads it again compares what comes with what it has sent;
the recorded answer holds the id of then. Where a call is answered by one that differs from it in
such values, they are exchanged in that answer and in all later ones. Pure but for remembering them.
"""

import re
from dataclasses import replace

from replay.interaction import Answer, Call, Header, Response
from replay.replayer.outbound.form import compare_calls

_TOKEN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{11,}")
_CHECKSUMS = ("x-amz-crc32", "x-amz-checksum-", "content-md5")
"""Headers that hold for the recorded bytes alone; botocore checks them."""
_MOST = 1_000


class Echo:
    """The values that were exchanged so far: recorded ones with those that stand for them now."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def learn(self, recorded: Call, replayed: Call) -> None:
        """Take note of what a call has drawn anew."""
        for difference in compare_calls(recorded, replayed):
            then, now = difference.recorded, difference.replayed
            if isinstance(then, str) and isinstance(now, str) and len(self._values) < _MOST:
                self._values |= _drawn(then, now)

    def applied(self, answer: Answer) -> Answer:
        """Return an answer with the values of now."""
        if not isinstance(answer, Response) or not isinstance(answer.body, bytes):
            return answer
        body = answer.body
        for then, now in self._values.items():
            body = body.replace(then.encode(), now.encode())
        headers = tuple((name, self._exchanged(value)) for name, value in answer.headers)
        if body == answer.body:
            return replace(answer, headers=headers) if headers != answer.headers else answer
        return replace(answer, body=body, headers=tuple(it for it in headers if not _sums_up(it)))

    def _exchanged(self, text: str) -> str:
        for then, now in self._values.items():
            text = text.replace(then, now)
        return text


def _drawn(then: str, now: str) -> dict[str, str]:
    """Return the tokens of two texts that differ, where they differ in nothing but such tokens."""
    if _TOKEN.sub("", then) != _TOKEN.sub("", now):
        return {}
    pairs = zip(_TOKEN.findall(then), _TOKEN.findall(now), strict=True)
    return {one: other for one, other in pairs if one != other and _is_same_kind(one, other)}


def _is_same_kind(one: str, other: str) -> bool:
    """Whether two tokens are as long, have their hyphens where the other has, and hold digits."""
    if len(one) != len(other) or not all(any(map(str.isdigit, it)) for it in (one, other)):
        return False
    return all((a in "-_") == (b in "-_") for a, b in zip(one, other, strict=True))


def _sums_up(header: Header) -> bool:
    return header[0].lower().startswith(_CHECKSUMS)
