"""Payloads of parts may be packed: the tables are as they were, but not for who cannot unpack."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Change nothing: what is there stays plain, and what is taken in from now on is packed."""


def downgrade() -> None:
    """Refuse: an older version would take packed payloads for damage."""
    raise NotImplementedError("payloads may be packed: export them with this version")
