"""Vectors of passages, by which they are found by meaning."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'


def upgrade() -> None:
    """Apply."""
    op.create_table(
        'passage_vector',
        sa.Column('sha256', sa.String(), nullable=False),
        sa.Column('model', sa.String(), nullable=False),
        sa.Column('vector', sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint('sha256', 'model'),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table('passage_vector')
