"""What is stored of a document, and channels that are answered from documents alone."""

import sqlalchemy as sa
from alembic import op

import store.tables.columns

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('document') as batch_op:
        batch_op.drop_column('text')
        batch_op.drop_column('visibility')
        batch_op.add_column(sa.Column('url', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('channel_id', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(
            sa.Column('problem', store.tables.columns.StorableText(), nullable=False, server_default='')
        )
    op.add_column('passage', sa.Column('heading', sa.String(), nullable=False, server_default=''))
    op.add_column('channel', sa.Column('documents_only', sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('channel') as batch_op:
        batch_op.drop_column('documents_only')
    with op.batch_alter_table('passage') as batch_op:
        batch_op.drop_column('heading')
    with op.batch_alter_table('document') as batch_op:
        batch_op.drop_column('problem')
        batch_op.drop_column('channel_id')
        batch_op.drop_column('url')
        batch_op.add_column(sa.Column('visibility', sa.String(), nullable=False, server_default='public'))
        batch_op.add_column(sa.Column('text', store.tables.columns.StorableText(), nullable=False, server_default=''))
