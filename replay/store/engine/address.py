"""What a store's setting names: a file of SQLite's, or a database of a PostgreSQL server."""

from pathlib import Path

from replay.settings import is_server, store_path
from replay.store.engine.database import Database
from replay.store.engine.sqlite import SqliteFile, refuse_link


def database_of(setting: str) -> Database:
    """Return the database that a setting names, without a look whether it is there."""
    if is_server(setting):
        from replay.store.engine.postgres import PostgresServer

        return PostgresServer(setting)
    path = Path(store_path(setting))
    refuse_link(path)
    return SqliteFile(path)
