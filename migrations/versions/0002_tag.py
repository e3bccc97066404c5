"""Tags: names that a person gives to recordings."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table of tags."""
    op.create_table(
        "tag",
        sa.Column("recording_id", _TEXT, primary_key=True),
        sa.Column("name", _TEXT, primary_key=True),
    )
    op.create_index("ix_tag_name", "tag", ["name", "recording_id"])


def downgrade() -> None:
    """Drop it, with what it holds."""
    op.drop_table("tag")
