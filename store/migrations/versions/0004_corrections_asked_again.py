"""Why a ticket is asked of candidate and champion: held out, or corrected by a reviewer."""

import sqlalchemy as sa
from alembic import op


revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('evaluation_item') as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(), nullable=False, server_default='held_out'))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('evaluation_item') as batch_op:
        batch_op.drop_column('kind')
