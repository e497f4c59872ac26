"""Documents and their passages: retrieved, never trained on."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from store.tables.columns import long_text, moment, word
from store.words import Visibility


class Document(SQLModel, table=True):
    """A source of knowledge that changes often: retrieved, never trained on."""

    __tablename__: ClassVar[str] = "document"
    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(unique=True)
    title: str
    text: str = long_text()
    sha256: str
    visibility: Visibility = word(Visibility, Visibility.PUBLIC)
    updated_at: datetime = moment()


class Passage(SQLModel, table=True):
    """A part of a document, of a size that fits a prompt."""

    __tablename__: ClassVar[str] = "passage"
    __table_args__ = (UniqueConstraint("document_id", "position"),)
    id: int | None = Field(default=None, primary_key=True)
    document_id: int = Field(foreign_key="document.id", index=True)
    position: int
    text: str = long_text()
