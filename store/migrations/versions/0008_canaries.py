"""Versions that answer a part of the threads."""

import sqlalchemy as sa
from alembic import op

import store.tables.columns

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    """Apply."""
    op.create_table(
        'canary',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('slot', sa.String(), nullable=True),
        sa.Column('adapter', sa.String(), nullable=False),
        sa.Column('champion', sa.String(), nullable=False),
        sa.Column('share', sa.Float(), nullable=False),
        sa.Column('channels', sa.JSON(), nullable=False),
        sa.Column('people', sa.JSON(), nullable=False),
        sa.Column('outcome', sa.String(), nullable=False),
        sa.Column('reason', store.tables.columns.StorableText(), nullable=False),
        sa.Column('started_by', sa.String(), nullable=False),
        sa.Column('ended_by', sa.String(), nullable=False),
        sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('slot'),
    )
    op.create_index('ix_canary_adapter', 'canary', ['adapter'])


def downgrade() -> None:
    """Take back."""
    op.drop_index('ix_canary_adapter', 'canary')
    op.drop_table('canary')
