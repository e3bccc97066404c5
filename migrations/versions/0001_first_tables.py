"""The first tables: part, unless the recorder has made it, and what the intake derives from it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SEARCHED = ("function_name", "alias", "outcome", "error_type", "source")

_INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables that are not there."""
    if not sa.inspect(op.get_bind()).has_table("part"):
        op.create_table(
            "part",
            sa.Column("n", _INTEGER, primary_key=True, autoincrement=False),
            sa.Column("id", _TEXT),
            sa.Column("kind", _TEXT),
            sa.Column("crc", _INTEGER),
            sa.Column("payload", sa.LargeBinary),
        )
    op.create_table(
        "recording",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("short_id", _TEXT, nullable=False),
        sa.Column("reversed_id", _TEXT, nullable=False),
        sa.Column("begun_n", _INTEGER),
        sa.Column("ended_n", _INTEGER),
        sa.Column("damage", _TEXT),
        sa.Column("format", _INTEGER),
        sa.Column("digest", _TEXT),
        sa.Column("size_bytes", _INTEGER),
        sa.Column("captured_at_us", sa.BigInteger),
        sa.Column("function_name", _TEXT),
        sa.Column("function_version", _TEXT),
        sa.Column("alias", _TEXT),
        sa.Column("handler", _TEXT),
        sa.Column("request_id", _TEXT),
        sa.Column("source", _TEXT),
        sa.Column("remaining_ms", _INTEGER),
        sa.Column("outcome", _TEXT),
        sa.Column("error_type", _TEXT),
        sa.Column("duration_us", sa.BigInteger),
        sa.Column("sandbox_id", _TEXT),
        sa.Column("sandbox_sequence", _INTEGER),
        sa.Column("cold", sa.Boolean),
    )
    for name in ("short_id", "reversed_id", "request_id", "captured_at_us"):
        op.create_index(f"ix_recording_{name}", "recording", [name])
    for name in _SEARCHED:
        op.create_index(f"ix_recording_{name}", "recording", [name, "id"])
    op.create_table(
        "intake",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("taken_n", _INTEGER, nullable=False),
    )


def downgrade() -> None:
    """Drop what is derived; `part` stays."""
    op.drop_table("intake")
    op.drop_table("recording")
