"""Values of events at declared paths, to be found by them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table; what it holds is derived when it is asked for."""
    op.create_table(
        "field",
        sa.Column("recording_id", _TEXT, primary_key=True),
        sa.Column("path", _TEXT, primary_key=True),
        sa.Column("value", _TEXT, primary_key=True),
    )
    op.create_index("ix_field_path", "field", ["path", "value", "recording_id"])


def downgrade() -> None:
    """Drop what is derived of fields, and how far it was."""
    op.drop_table("field")
    op.execute("DELETE FROM intake WHERE name <> 'part'")
