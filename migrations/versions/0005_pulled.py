"""What was pulled out of buckets, and on a server the index by which parts are found."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table; on a server, where no recorder writes, index the parts."""
    op.create_table(
        "pulled",
        sa.Column("bucket", _TEXT, primary_key=True),
        sa.Column("key", _TEXT, primary_key=True),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_part_id", "part", ["id"])


def downgrade() -> None:
    """Drop the table: objects are read once more then, and change nothing."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_part_id", "part")
    op.drop_table("pulled")
