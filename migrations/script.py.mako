"""${message}"""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Change a store of the revision before."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Change a store back."""
    ${downgrades if downgrades else "pass"}
