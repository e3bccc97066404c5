"""The revision of a store's schema: which one it has, and making the tables of a new store.

Alembic takes 0.3 s to import, so the revision is first compared with a constant; it is loaded only
to migrate. An older revision is changed by upgrade.py alone, a newer one never written.
"""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import Connection, create_engine, inspect, text

import replay
from replay.errors import StoreError
from replay.store.tables import metadata

OLDER = ("0001", "0002", "0003", "0004", "0005")
HEAD = "0006"
"""The newest migration, and those before it; a test holds them against the folder."""

Make: TypeAlias = Callable[[Connection], None]
"""Makes the tables, in the transaction that the caller has begun."""
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


def ensure(connection: Connection, name: str, make: Make) -> None:
    """Bring an empty store, or one with `part` and nothing of ours besides, to HEAD; else raise."""
    revision = current(connection)
    if revision == HEAD:
        return
    if revision is not None:
        raise refusal(name, revision)
    taken = _OURS & set(inspect(connection).get_table_names())
    if taken:
        raise StoreError(
            f"{name} has a table {min(taken)!r} that no version of replay has made",
            "name the store with --store PATH or REPLAY_STORE=PATH",
        )
    make(connection)


def statements() -> tuple[str, ...]:
    """Return what makes the tables of a new store: SQL of what the migrations make in memory."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        migrate(connection)
        found = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
        made = tuple(str(row[0]) for row in found)
    engine.dispose()
    return (*made, f"INSERT INTO alembic_version VALUES ('{HEAD}')")  # noqa: S608 - ours


def migrate(connection: Connection, to: str = HEAD) -> None:
    """Bring the store to a revision, inside the transaction that the caller has begun."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _left_out(name: str) -> str:
    return "; *** is the password" if ":***@" in name else ""


def refusal(name: str, revision: str) -> StoreError:
    """Return the error for a store of another revision than HEAD, older or newer."""
    if revision in OLDER:
        return StoreError(
            f"{name} has schema revision {revision}; this version of replay works with {HEAD}",
            f"replay upgrade --store {shlex.quote(name)} (a backup first{_left_out(name)})",
        )
    return StoreError(
        f"{name} has schema revision {revision}; this version of replay knows up to {HEAD}",
        "pip install -U lambda-replay",
    )
