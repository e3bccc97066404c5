"""One object of a bucket: parts as gzip JSON lines, named by what is in it.

Invariant: the same parts make the same bytes under the same name, so that a second upload changes
nothing. How it is read is in `store/arrival/shipment.py`.
"""

import gzip
from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import orjson

SUFFIX = ".jsonl.gz"


@dataclass(frozen=True, slots=True)
class Row:
    """A part as it lies in the table `part`, or in a spool, where it has no number."""

    n: int
    id: str
    kind: str
    crc: int
    payload: bytes

    @property
    def line(self) -> bytes:
        """One line of JSON: the payload is a codec document, and stands as it is.

        One that is none, as a command has left it that took the store in, stands as base64.
        """
        head = orjson.dumps({"n": self.n, "id": self.id, "kind": self.kind, "crc": self.crc})
        if not self.payload.startswith(b"{"):
            other = b2a_base64(self.payload, newline=False)
            return b'%b,"payload_base64":"%b"}\n' % (head[:-1], other)
        return b'%b,"payload":%b}\n' % (head[:-1], self.payload)


@dataclass(frozen=True, slots=True)
class Shipment:
    """An object: its name below the bucket's prefix, and its bytes."""

    name: str
    body: bytes


def shipment_of(sandbox_id: str, rows: Sequence[Row]) -> Shipment:
    """Return the object of some parts of a sandbox, one or more, in the order of their numbers."""
    lines = b"".join(row.line for row in rows)
    name = f"{sandbox_id}/{rows[0].n}-{rows[-1].n}-{digest_of(lines)}{SUFFIX}"
    return Shipment(name, gzip.compress(lines, mtime=0))


def digest_of(lines: bytes) -> str:
    """Return what the name of an object says of its lines: a BLAKE2b-128, in hexadecimal."""
    return blake2b(lines, digest_size=16).hexdigest()
