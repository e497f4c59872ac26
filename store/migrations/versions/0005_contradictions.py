"""Answers that contradict each other, and which of them a reviewer has upheld."""

import sqlalchemy as sa
from alembic import op


revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    """Apply."""
    op.create_table('contradiction',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('answer_id', sa.Integer(), nullable=False),
    sa.Column('other_id', sa.Integer(), nullable=False),
    sa.Column('upheld_id', sa.Integer(), nullable=True),
    sa.Column('review_id', sa.Integer(), nullable=True),
    sa.Column('found_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['answer_id'], ['answer.id'], ),
    sa.ForeignKeyConstraint(['other_id'], ['answer.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('answer_id', 'other_id')
    )
    with op.batch_alter_table('contradiction') as batch_op:
        batch_op.create_index('ix_contradiction_answer_id', ['answer_id'])
        batch_op.create_index('ix_contradiction_other_id', ['other_id'])
        batch_op.create_index('ix_contradiction_review_id', ['review_id'])


def downgrade() -> None:
    """Take back."""
    op.drop_table('contradiction')
