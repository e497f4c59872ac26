"""Documents and their passages: retrieved, never trained on."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from store.tables.columns import long_text, moment


class Document(SQLModel, table=True):
    """A source of knowledge that changes often: retrieved, never trained on.

    `source` is the file's path below the folder of documents. `channel_id` is the only channel that may see it, empty
    for everybody. `url` is where people read it, empty where there is no such place. `problem` says why the file could
    not be read; it has no passages then.
    """

    __tablename__: ClassVar[str] = "document"
    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(unique=True)
    title: str
    url: str = ""
    sha256: str
    channel_id: str = ""
    problem: str = long_text()
    updated_at: datetime = moment()


class Passage(SQLModel, table=True):
    """A part of a document, of a size that fits a prompt, and the heading it stands below."""

    __tablename__: ClassVar[str] = "passage"
    __table_args__ = (UniqueConstraint("document_id", "position"),)
    id: int | None = Field(default=None, primary_key=True)
    document_id: int = Field(foreign_key="document.id", index=True)
    position: int
    heading: str = ""
    text: str = long_text()


class PassageVector(SQLModel, table=True):
    """What a text means, as an embedding model has it; `sha256` is the text's, `vector` is float32, little-endian.

    It is kept by text and not by passage, so that a document that changes is embedded only where it has changed.
    """

    __tablename__: ClassVar[str] = "passage_vector"
    sha256: str = Field(primary_key=True)
    model: str = Field(primary_key=True)
    vector: bytes
