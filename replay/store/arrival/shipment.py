"""Objects that an exporter has put into a bucket, as it names and fills them, on their way back.

How they are written is in `recorder/export/shipment.py`. Invariant: what does not hold what its
name says, or unpacks to more than 64 MiB, is a DamagedError.
"""

import re
from binascii import a2b_base64
from collections.abc import Iterator

from replay.errors import DamagedError
from replay.recorder.export.shipment import SUFFIX, digest_of
from replay.recording import Part
from replay.store.arrival.inflate import GZIP, inflate
from replay.store.packing import PackingError, unpacked

_NAME = re.compile(
    r"(?:.*/)?[0-7][0-9a-hjkmnp-tv-z]{25}/\d+-\d+-(?P<digest>[0-9a-f]{32})" + re.escape(SUFFIX)
)
_LINE = re.compile(
    rb'\{"n":\d+,"id":"(?P<id>[^"\\]+)","kind":"(?P<kind>\w+)","crc":(?P<crc>\d+),'
    rb'(?:"payload":(?P<payload>.*)|"payload_base64":"(?P<kept>[A-Za-z0-9+/]*={0,2})")\}'
)


def is_shipment(key: str) -> bool:
    """Whether an object has a name that an exporter gives."""
    return _NAME.fullmatch(key) is not None


def parts_of(key: str, body: bytes) -> list[Part | DamagedError]:
    """Return the parts in an object, each damaged one as its error.

    Raises DamagedError for an object that is not whole, or not what its name says.
    """
    lines = _unpacked(key, body)
    name = _NAME.fullmatch(key)
    if name is None or digest_of(lines) != name["digest"]:
        raise DamagedError(f"object {key}: its content is not what its name says", _AGAIN)
    return list(_parts(key, lines))


_AGAIN = "have it uploaded again, or delete it; the next pull takes the rest"


def _unpacked(key: str, body: bytes) -> bytes:
    try:
        return inflate(body, wbits=GZIP)
    except ValueError as error:
        raise DamagedError(f"object {key}: {error}", _AGAIN) from error


def _payload(found: re.Match[bytes]) -> bytes:
    """Return the plain payload of a line; of a damaged one nothing, for which no checksum holds."""
    if found["kept"] is None:
        return found["payload"]
    try:
        return unpacked(a2b_base64(found["kept"]))
    except (ValueError, PackingError):
        return b""


def _part(found: re.Match[bytes]) -> Part:
    id, kind = (found[name].decode(errors="backslashreplace") for name in ("id", "kind"))
    return Part(id, kind, _payload(found))


def _parts(key: str, lines: bytes) -> Iterator[Part | DamagedError]:
    for number, line in enumerate(lines.split(b"\n")[:-1], 1):
        found = _LINE.fullmatch(line)
        part = found and _part(found)
        if found is None or part is None or part.crc != int(found["crc"]):
            name = f"recording {part.id}: its {part.kind} part" if part else f"line {number}"
            yield DamagedError(f"object {key}: {name} is damaged", "it was when it was shipped")
        else:
            yield part
