"""Reviewers at work, proposals, knowledge gaps, settings of channels and people."""

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    """Apply."""
    op.create_table('channel',
    sa.Column('team_id', sa.String(), nullable=False),
    sa.Column('channel_id', sa.String(), nullable=False),
    sa.Column('answering', sa.String(), nullable=False),
    sa.Column('min_confidence', sa.Float(), nullable=False),
    sa.Column('trainable', sa.Boolean(), nullable=False),
    sa.Column('documents', sa.Boolean(), nullable=False),
    sa.Column('persona', sa.Text(), nullable=False),
    sa.Column('on_call', sa.String(), nullable=False),
    sa.Column('noticed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('updated_by', sa.String(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('team_id', 'channel_id')
    )
    op.create_table('duty_grant',
    sa.Column('person_id', sa.String(), nullable=False),
    sa.Column('duty', sa.String(), nullable=False),
    sa.Column('granted_by', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('person_id')
    )
    op.create_table('knowledge_gap',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('question', sa.Text(), nullable=False),
    sa.Column('near_group', sa.Integer(), nullable=True),
    sa.Column('owner_id', sa.String(), nullable=False),
    sa.Column('channel_id', sa.String(), nullable=False),
    sa.Column('message_ts', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('closed_by', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('knowledge_gap', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_knowledge_gap_near_group'), ['near_group'], unique=False)
        batch_op.create_index(batch_op.f('ix_knowledge_gap_state'), ['state'], unique=False)

    op.create_table('person',
    sa.Column('team_id', sa.String(), nullable=False),
    sa.Column('person_id', sa.String(), nullable=False),
    sa.Column('learning_opt_out', sa.Boolean(), nullable=False),
    sa.Column('fix_notices', sa.Boolean(), nullable=False),
    sa.Column('noticed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('team_id', 'person_id')
    )
    op.create_table('knowledge_gap_ticket',
    sa.Column('gap_id', sa.Integer(), nullable=False),
    sa.Column('ticket_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['gap_id'], ['knowledge_gap.id'], ),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], ),
    sa.PrimaryKeyConstraint('gap_id', 'ticket_id')
    )
    op.create_table('proposal',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('answer_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.String(), nullable=False),
    sa.Column('ts', sa.String(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['answer_id'], ['answer.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('answer_id', 'ts')
    )
    with op.batch_alter_table('proposal', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_proposal_answer_id'), ['answer_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_proposal_state'), ['state'], unique=False)

    op.create_table('review_claim',
    sa.Column('answer_id', sa.Integer(), nullable=False),
    sa.Column('reviewer_id', sa.String(), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['answer_id'], ['answer.id'], ),
    sa.PrimaryKeyConstraint('answer_id')
    )
    op.create_table('review_skip',
    sa.Column('answer_id', sa.Integer(), nullable=False),
    sa.Column('reviewer_id', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['answer_id'], ['answer.id'], ),
    sa.PrimaryKeyConstraint('answer_id', 'reviewer_id')
    )
    op.create_table('trial',
    sa.Column('person_id', sa.String(), nullable=False),
    sa.Column('adapter', sa.String(), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('person_id')
    )
    with op.batch_alter_table('adapter', schema=None) as batch_op:
        batch_op.add_column(sa.Column('discarded_by', sa.String(), nullable=False, server_default=''))

    op.create_table('review_desk',
    sa.Column('reviewer_id', sa.String(), nullable=False),
    sa.Column('filter', sa.String(), nullable=False),
    sa.Column('channels', sa.JSON(), nullable=False),
    sa.Column('tag', sa.String(), nullable=False),
    sa.Column('page', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('reviewer_id')
    )
    op.create_table('near_band',
    sa.Column('band', sa.BigInteger(), nullable=False),
    sa.Column('answer_id', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('band', 'answer_id')
    )
    with op.batch_alter_table('answer', schema=None) as batch_op:
        batch_op.add_column(sa.Column('approved_by', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('review_state', sa.String(), nullable=False, server_default='waiting'))
        batch_op.add_column(sa.Column('near_group', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('earlier_ts', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.create_index('ix_answer_given', ['ticket_id', 'arm', 'state'], unique=False)
        batch_op.create_index('ix_answer_usage', ['created_at', 'arm', 'state', 'prompt_tokens', 'completion_tokens', 'first_token_ms'], unique=False)
        batch_op.create_index('ix_answer_review_state', ['review_state', 'state', 'arm'], unique=False)
        batch_op.create_index('ix_answer_review_newest', ['review_state', 'id'], unique=False)
        batch_op.create_index('ix_answer_review_unsure', ['review_state', 'mean_logprob'], unique=False)
        batch_op.create_index('ix_answer_review_near', ['review_state', 'near_group', 'id'], unique=False)
    # What was decided before answers had a state of their own.
    op.execute("UPDATE answer SET review_state = 'settled' WHERE id IN (SELECT answer_id FROM review)")

    with op.batch_alter_table('vote', schema=None) as batch_op:
        batch_op.create_index('ix_vote_value', ['value', 'answer_id'], unique=False)

    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.create_index('ix_message_role_ticket', ['role', 'ticket_id'], unique=False)

    with op.batch_alter_table('review', schema=None) as batch_op:
        batch_op.add_column(sa.Column('status_before', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('proposal_id', sa.Integer(), nullable=True))
        batch_op.create_index('ix_review_verdict', ['verdict'], unique=False)
        batch_op.create_index('ix_review_reviewer', ['reviewer_id', 'created_at'], unique=False)
        batch_op.add_column(sa.Column('tags', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('batch', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('valid_until', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f('ix_review_batch'), ['batch'], unique=False)
        batch_op.create_index(batch_op.f('ix_review_updated_at'), ['updated_at'], unique=False)

    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.add_column(sa.Column('escalated_to', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('resolved_by', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('reminded_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('vote', schema=None) as batch_op:
        batch_op.add_column(sa.Column('suggestion', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('button', sa.String(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('vote', schema=None) as batch_op:
        batch_op.drop_column('button')
        batch_op.drop_column('suggestion')

    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.drop_column('reminded_at')
        batch_op.drop_column('resolved_by')
        batch_op.drop_column('escalated_to')

    with op.batch_alter_table('review', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_review_updated_at'))
        batch_op.drop_index(batch_op.f('ix_review_batch'))
        batch_op.drop_index('ix_review_reviewer')
        batch_op.drop_index('ix_review_verdict')
        batch_op.drop_column('proposal_id')
        batch_op.drop_column('status_before')
        batch_op.drop_column('valid_until')
        batch_op.drop_column('batch')
        batch_op.drop_column('tags')

    with op.batch_alter_table('vote', schema=None) as batch_op:
        batch_op.drop_index('ix_vote_value')

    with op.batch_alter_table('answer', schema=None) as batch_op:
        batch_op.drop_index('ix_answer_review_near')
        batch_op.drop_index('ix_answer_review_unsure')
        batch_op.drop_index('ix_answer_review_newest')
        batch_op.drop_index('ix_answer_review_state')
        batch_op.drop_column('earlier_ts')
        batch_op.drop_index('ix_answer_usage')
        batch_op.drop_index('ix_answer_given')
        batch_op.drop_column('near_group')
        batch_op.drop_column('review_state')
        batch_op.drop_column('approved_by')

    op.drop_table('near_band')
    op.drop_table('review_desk')
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_index('ix_message_role_ticket')

    with op.batch_alter_table('adapter', schema=None) as batch_op:
        batch_op.drop_column('discarded_by')

    op.drop_table('trial')
    op.drop_table('review_skip')
    op.drop_table('review_claim')
    with op.batch_alter_table('proposal', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_proposal_state'))
        batch_op.drop_index(batch_op.f('ix_proposal_answer_id'))

    op.drop_table('proposal')
    op.drop_table('knowledge_gap_ticket')
    op.drop_table('person')
    with op.batch_alter_table('knowledge_gap', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_knowledge_gap_state'))
        batch_op.drop_index(batch_op.f('ix_knowledge_gap_near_group'))

    op.drop_table('knowledge_gap')
    op.drop_table('duty_grant')
    op.drop_table('channel')
