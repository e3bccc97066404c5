"""Payloads as a store keeps them: packed with zstd where that saves something.

A plain payload is a codec document and begins with `{`; a packed one begins as a zstd frame does,
and names its dictionary by number. The dictionaries are files of this package, trained on sample
material and on nothing that was captured, so that no store holds bytes of what was deleted from it.
One that has been shipped stays, and another one comes with a revision of the schema;
`benchmarks/packing.py` makes them. Pure, but for reading those files.

Invariant: what `packed` returns, `unpacked` gives back byte for byte; nothing that somebody has
made up takes more memory than the greatest document.
"""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from replay.document import MAX_BYTES
from replay.packed_file import MAGIC

if TYPE_CHECKING:
    from replay.zstd import zstd

DICTIONARY_ID = 40_001
"""The dictionary that payloads are packed with; a number that zstd leaves to anybody."""
LEVEL = 3
_DICTIONARIES = {DICTIONARY_ID: "packing.dict"}
_LEAST_SAVED = 8
"""What is packed is smaller by one part in so many."""
LEAST_BYTES = 2048
"""A smaller payload stays as it is: to make what unpacks takes 8 us, which would double the time
that reading it takes."""
_UNUSED_BITS = 0b0001_1000
"""Of the byte behind the magic: a reader may ignore what stands there."""


class PackingError(Exception):
    """A payload cannot be unpacked; the message says why."""


class UnknownDictionaryError(PackingError):
    """It was packed with a dictionary that this version does not have."""


def packed(payload: bytes) -> bytes:
    """Return what a store keeps of a plain payload: a frame, or itself where that saves nothing."""
    if not (payload.startswith(b"{") and LEAST_BYTES <= len(payload) <= MAX_BYTES):
        return payload
    compressor = _compressor()
    frame = compressor.compress(payload, compressor.FLUSH_FRAME)
    return frame if len(frame) + len(payload) // _LEAST_SAVED <= len(payload) else payload


def unpacked(kept: bytes) -> bytes:
    """Return the plain payload of what a store keeps; raises PackingError."""
    return _unpacking()(kept) if kept.startswith(MAGIC) else kept


@cache
def _unpacking() -> Callable[[bytes], bytes]:
    """Return what unpacks a frame, with all that it needs at hand: it is called for each part."""
    from replay.zstd import zstd

    frame_info, decompressor, failure = zstd.get_frame_info, zstd.ZstdDecompressor, zstd.ZstdError

    def unpack(frame: bytes) -> bytes:
        try:
            info = frame_info(frame)
            size_bytes = info.decompressed_size
            if size_bytes is None or size_bytes > MAX_BYTES or frame[4] & _UNUSED_BITS:
                raise PackingError("it is no frame of ours")
            unpacking = decompressor(_dictionary(info.dictionary_id))
            payload = unpacking.decompress(frame, size_bytes)
        except failure as error:
            raise PackingError(str(error)) from error
        if not unpacking.eof or unpacking.unused_data or len(payload) != size_bytes:
            raise PackingError("it is not one whole frame")
        return payload

    return unpack


@cache
def _compressor() -> "zstd.ZstdCompressor":
    """Return what packs one payload after the other: making one takes longer than packing."""
    from replay.zstd import zstd

    return zstd.ZstdCompressor(level=LEVEL, zstd_dict=_dictionary(DICTIONARY_ID))


@cache
def _dictionary(number: int) -> "zstd.ZstdDict":
    from replay.zstd import zstd

    if number not in _DICTIONARIES:
        raise UnknownDictionaryError(f"is packed with dictionary {number}, unknown to this version")
    return zstd.ZstdDict(files("replay.store").joinpath(_DICTIONARIES[number]).read_bytes())
