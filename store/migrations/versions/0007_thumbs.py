"""A row of a dataset may stand on votes alone, without a review."""

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('dataset_row') as batch_op:
        batch_op.alter_column('review_id', existing_type=sa.Integer(), nullable=True)


def downgrade() -> None:
    """Take back."""
    op.execute('DELETE FROM dataset_row WHERE review_id IS NULL')
    with op.batch_alter_table('dataset_row') as batch_op:
        batch_op.alter_column('review_id', existing_type=sa.Integer(), nullable=False)
