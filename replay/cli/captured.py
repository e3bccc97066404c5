"""The file that an invocation here is captured into: the store, or on its way to a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from replay.cli.command import opened
from replay.errors import ReplayError
from replay.settings import Settings, is_server, store_path

if TYPE_CHECKING:
    from replay.store.store import Store


@contextmanager
def captured_file(settings: Settings) -> Iterator[str]:
    """Yield the file to capture into; a store on a server gets what is in it at the end."""
    if not is_server(settings.store):
        yield str(Path(store_path(settings.store)).absolute())
        return
    with opened(settings, create=True) as target:  # one that is not there is told before
        folder = Path(mkdtemp(prefix="replay-"))
        file = folder / "replay.db"
        try:
            yield str(file)
        finally:
            if file.exists():
                _hand_on(file, settings, target)
            rmtree(folder)


def _hand_on(file: Path, settings: Settings, target: "Store") -> None:
    from replay.cli.transfer import Transfer, Wish  # and with it SQLAlchemy, which a file needs not
    from replay.store.selection import Selection

    try:
        with opened(replace(settings, store=str(file))) as source:
            Transfer().copy(source, target, Wish(None, Selection(), allow_empty=True))
    except ReplayError as error:
        error.hint = f"it is kept: replay push STORE --store {file}"
        raise
