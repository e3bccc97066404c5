"""Runs the migrations on the connection that replay hands over, or on the store of REPLAY_STORE."""

import os
from pathlib import Path

from alembic import context
from sqlalchemy import URL, Connection, create_engine

from replay.settings import command_settings, store_path
from replay.store.tables import metadata


def run(connection: Connection) -> None:
    """Run the migrations in the transaction that `connection` is in."""
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    store = store_path(command_settings(os.environ, str(Path.cwd())).store)
    with create_engine(URL.create("sqlite", database=store)).connect() as own:
        run(own)
        own.commit()
