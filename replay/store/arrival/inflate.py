"""Bytes that were packed by somebody, unpacked with a cap: a bomb takes no memory. Pure."""

import zlib

from replay.document import MAX_BYTES

GZIP = 31
"""The `wbits` of gzip."""


def inflate(content: bytes, *, room_bytes: int = MAX_BYTES, wbits: int = zlib.MAX_WBITS) -> bytes:
    """Return what was packed; raises ValueError where that is no packing, cut, or too large.

    There is never more than `room_bytes` of it in memory, what is left of 64 MiB.
    """
    unpacking = zlib.decompressobj(wbits)
    try:
        unpacked = unpacking.decompress(content, room_bytes + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if len(unpacked) > room_bytes:
        raise ValueError(f"it unpacks to over {MAX_BYTES // 2**20} MiB, with what came before it")
    if not unpacking.eof:
        raise ValueError("its end is not there")
    return unpacked
