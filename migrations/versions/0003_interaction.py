"""Outbound calls of recordings."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table of calls, and say of the recordings there are that they have none."""
    op.add_column("recording", sa.Column("outbound", _TEXT))
    op.add_column("recording", sa.Column("calls", _INTEGER))
    op.create_table(
        "interaction",
        sa.Column("recording_id", _TEXT, primary_key=True),
        sa.Column("at_import", sa.Boolean, primary_key=True),
        sa.Column("sequence", _INTEGER, primary_key=True),
        sa.Column("sandbox_id", _TEXT),
        sa.Column("sent_n", _INTEGER),
        sa.Column("answered_n", _INTEGER),
        sa.Column("kind", _TEXT),
        sa.Column("name", _TEXT),
        sa.Column("service", _TEXT),
        sa.Column("operation", _TEXT),
        sa.Column("host", _TEXT),
        sa.Column("status", _INTEGER),
        sa.Column("error_type", _TEXT),
        sa.Column("at_us", sa.BigInteger),
        sa.Column("duration_us", sa.BigInteger),
    )
    op.create_index("ix_interaction_sandbox_id", "interaction", ["sandbox_id"])
    op.execute("UPDATE recording SET calls = 0")
    op.execute("UPDATE recording SET outbound = 'off' WHERE damage IS NULL")
    if _has_calls():
        # An older version has taken them in for parts of unknown kind: derive everything again.
        op.execute("DELETE FROM recording")
        op.execute("DELETE FROM intake")


def _has_calls() -> bool:
    calls = sa.text("SELECT 1 FROM part WHERE kind IN ('sent', 'answered') LIMIT 1")
    return op.get_bind().execute(calls).first() is not None


def downgrade() -> None:
    """Drop what is derived of calls."""
    op.drop_table("interaction")
    op.drop_column("recording", "calls")
    op.drop_column("recording", "outbound")
