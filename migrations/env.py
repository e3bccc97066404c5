"""Runs the migrations on the connection that replay hands over, or on the store of REPLAY_STORE."""

import os
from contextlib import closing
from pathlib import Path

from alembic import context
from sqlalchemy import Connection

from replay.settings import command_settings
from replay.store.engine.address import database_of
from replay.store.tables import metadata


def is_declared(_object: object, name: str | None, *_: object) -> bool:
    """Whether a table or an index is to be compared: `part` has an index on a server alone."""
    return name != "ix_part_id"


def run(connection: Connection) -> None:
    """Run the migrations in the transaction that `connection` is in."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        include_object=is_declared,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with closing(database_of(command_settings(os.environ, str(Path.cwd())).store)) as database:
        database.make(run)
