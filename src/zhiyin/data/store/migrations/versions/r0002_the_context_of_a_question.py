"""What was known of the moment at which a list was shown."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column; lists of before have none."""
    op.add_column("impressions", sa.Column("context", TEXT))
