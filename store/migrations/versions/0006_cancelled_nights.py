"""Who cancelled a night."""

import sqlalchemy as sa
from alembic import op


revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    """Apply."""
    op.add_column('night', sa.Column('cancelled_by', sa.String(), nullable=False, server_default=''))


def downgrade() -> None:
    """Take back."""
    op.drop_column('night', 'cancelled_by')
