"""Which objects a store has taken in already: a file beside it, one line an object.

It spares downloads, and nothing depends on it: each part is taken once, whatever is read again.
"""

from pathlib import Path


class Pulled:
    """The objects that were read to their end."""

    def __init__(self, store: Path, bucket: str) -> None:
        self._file = store.with_name(f"{store.name}.pulled")
        self._bucket = bucket
        text = self._file.read_text(errors="replace") if self._file.is_file() else ""
        self._lines = set(text.splitlines())

    def __contains__(self, key: str) -> bool:
        return self._line(key) in self._lines

    def add(self, key: str) -> None:
        """Note that an object's parts are in the store."""
        self._lines.add(self._line(key))
        with self._file.open("a") as file:
            file.write(f"{self._line(key)}\n")

    def _line(self, key: str) -> str:
        return f"{self._bucket} {key}"
