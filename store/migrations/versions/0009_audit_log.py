"""The audit log, which triggers keep append-only."""

import sqlalchemy as sa
from alembic import op


revision = '0009'
down_revision = '0008'

REFUSAL = 'the audit log is append-only'

SQLITE = [
    f"CREATE TRIGGER audit_entry_{verb.lower()} BEFORE {verb} ON audit_entry BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    for verb in ('UPDATE', 'DELETE')
] + [
    # INSERT OR REPLACE deletes without a trigger's noticing.
    "CREATE TRIGGER audit_entry_replace BEFORE INSERT ON audit_entry "
    "WHEN EXISTS (SELECT 1 FROM audit_entry WHERE number = NEW.number) "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER audit_head_delete BEFORE DELETE ON audit_head BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    "CREATE TRIGGER audit_head_update BEFORE UPDATE ON audit_head "
    "WHEN NEW.name <> OLD.name OR NEW.entries <= OLD.entries "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
]

POSTGRES = [
    "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
    "CREATE TRIGGER audit_entry_refuse BEFORE UPDATE OR DELETE ON audit_entry "
    "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_entry_truncate BEFORE TRUNCATE ON audit_entry "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_head_delete BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_head_update BEFORE UPDATE ON audit_head FOR EACH ROW "
    "WHEN (NEW.name <> OLD.name OR NEW.entries <= OLD.entries) EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_head_truncate BEFORE TRUNCATE ON audit_head "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
]


def upgrade() -> None:
    """Apply."""
    op.create_table('audit_entry',
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('action', sa.String(), nullable=False),
    sa.Column('at', sa.String(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('person', sa.String(), nullable=False),
    sa.Column('about', sa.String(), nullable=False),
    sa.Column('details', sa.Text(), nullable=False),
    sa.Column('hash', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('number')
    )
    op.create_index('ix_audit_entry_action', 'audit_entry', ['action'])
    op.create_index('ix_audit_entry_about', 'audit_entry', ['about'])
    op.create_table('audit_head',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('entries', sa.Integer(), nullable=False),
    sa.Column('hash', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('audit_person',
    sa.Column('person_id', sa.String(), nullable=False),
    sa.Column('pseudonym', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('person_id'),
    sa.UniqueConstraint('pseudonym')
    )
    for statement in SQLITE if op.get_bind().dialect.name == 'sqlite' else POSTGRES:
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for table in ('audit_person', 'audit_head', 'audit_entry'):
        op.drop_table(table)
    if op.get_bind().dialect.name != 'sqlite':
        op.execute('DROP FUNCTION audit_refuse()')
