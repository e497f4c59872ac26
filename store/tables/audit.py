"""The audit log: what people did that others must be able to trace, in a chain that shows when it was changed."""

from typing import ClassVar

from sqlmodel import Field, SQLModel

from store.tables.columns import long_text


class AuditEntry(SQLModel, table=True):
    """One act. Triggers refuse to change or delete a row, and `hash` covers the row and the `hash` before it.

    `actor` did it and `person` is whom it was done to, both as pseudonyms (`AuditPerson`); an empty actor is the
    product itself. `about` names the thing, such as `adapter v7`. `details` is canonical JSON of numbers and words.
    Every column but the number is the text that is hashed: `action` a word of `AuditAction`, `at` a moment in UTC as
    ISO 8601, so that whatever somebody puts there can still be read and told to be wrong.
    """

    __tablename__: ClassVar[str] = "audit_entry"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    action: str = Field(index=True)
    at: str
    actor: str = ""
    person: str = ""
    about: str = Field(default="", index=True)
    details: str = long_text()
    hash: str


class AuditHead(SQLModel, table=True):
    """How many entries there are and the hash of the last one, so that a log whose end was cut off does not pass."""

    __tablename__: ClassVar[str] = "audit_head"
    name: str = Field(primary_key=True)
    entries: int = 0
    hash: str


class AuditPerson(SQLModel, table=True):
    """Who stands behind a pseudonym of the audit log; the row goes when the person is forgotten, the log stays."""

    __tablename__: ClassVar[str] = "audit_person"
    person_id: str = Field(primary_key=True)
    pseudonym: str = Field(unique=True)
