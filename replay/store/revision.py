"""The revision of a store's schema: which one it has, and making the tables of a new store.

Alembic takes 0.3 s to import, so the revision is first compared with a constant; it is loaded only
to create tables. An older revision is never changed here, a newer one never written.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

import replay
from replay.errors import StoreError
from replay.store.tables import metadata

HEAD = "0001"
"""The newest migration; a test holds it against the folder."""


_OURS = set(metadata.tables) - {"part"}


def migrations_folder() -> Path:
    """Return Alembic's script folder: in the wheel beside the package, else in the checkout."""
    package = Path(replay.__file__).parent
    shipped = package / "_migrations"
    return shipped if shipped.is_dir() else package.parent / "migrations"


def current(connection: Connection) -> str | None:
    """Return the store's revision; None where no table of ours but `part` exists."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def ensure(connection: Connection, name: str) -> None:
    """Bring an empty store, or one with `part` and nothing of ours besides, to HEAD; else raise."""
    revision = current(connection)
    if revision == HEAD:
        return
    if revision is not None:
        raise _wrong_revision(name, revision)
    taken = _OURS & set(inspect(connection).get_table_names())
    if taken:
        raise StoreError(
            f"{name} has a table {min(taken)!r} that no version of replay has made",
            "name the store with --store PATH or REPLAY_STORE=PATH",
        )
    _create(connection)


def _create(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _wrong_revision(name: str, revision: str) -> StoreError:
    return StoreError(
        f"{name} has schema revision {revision}; this version of replay knows up to {HEAD}",
        "pip install -U lambda-replay",
    )
