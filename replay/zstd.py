"""zstd, from wherever this Python has it. Imported by whoever packs or unpacks, when it does."""

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["zstd"]
