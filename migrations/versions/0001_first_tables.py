"""The first tables: part, unless the recorder has made it, and what the intake derives from it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SEARCHED = ("function_name", "alias", "outcome", "error_type", "source")


def upgrade() -> None:
    """Make the tables that are not there."""
    if not sa.inspect(op.get_bind()).has_table("part"):
        op.create_table(
            "part",
            sa.Column("n", sa.Integer, primary_key=True),
            sa.Column("id", sa.Text),
            sa.Column("kind", sa.Text),
            sa.Column("crc", sa.Integer),
            sa.Column("payload", sa.LargeBinary),
        )
    op.create_table(
        "recording",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("short_id", sa.Text, nullable=False),
        sa.Column("reversed_id", sa.Text, nullable=False),
        sa.Column("begun_n", sa.Integer),
        sa.Column("ended_n", sa.Integer),
        sa.Column("damage", sa.Text),
        sa.Column("format", sa.Integer),
        sa.Column("digest", sa.Text),
        sa.Column("size_bytes", sa.Integer),
        sa.Column("captured_at_us", sa.BigInteger),
        sa.Column("function_name", sa.Text),
        sa.Column("function_version", sa.Text),
        sa.Column("alias", sa.Text),
        sa.Column("handler", sa.Text),
        sa.Column("request_id", sa.Text),
        sa.Column("source", sa.Text),
        sa.Column("remaining_ms", sa.Integer),
        sa.Column("outcome", sa.Text),
        sa.Column("error_type", sa.Text),
        sa.Column("duration_us", sa.BigInteger),
        sa.Column("sandbox_id", sa.Text),
        sa.Column("sandbox_sequence", sa.Integer),
        sa.Column("cold", sa.Boolean),
    )
    for name in ("short_id", "reversed_id", "request_id", "captured_at_us"):
        op.create_index(f"ix_recording_{name}", "recording", [name])
    for name in _SEARCHED:
        op.create_index(f"ix_recording_{name}", "recording", [name, "id"])
    op.create_table(
        "intake",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("taken_n", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Drop what is derived; `part` stays."""
    op.drop_table("intake")
    op.drop_table("recording")
