"""The documents in the store: what was read from the files, for every process to index."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, delete, insert, select

from store import audit
from store.audit import Act
from store.knowledge.passages import Piece
from store.tables import Document, Passage, now
from store.words import AuditAction


@dataclass(frozen=True)
class Found:
    """A document as it was read from its file, or why it could not be read."""

    source: str
    title: str
    sha256: str
    pieces: Sequence[Piece] = ()
    channel_id: str = ""
    url: str = ""
    problem: str = ""


def documents(session: Session) -> list[Document]:
    """Every document, by its source."""
    return list(session.exec(select(Document).order_by(col(Document.source))))


def put(session: Session, found: Found) -> None:
    """Store a document in place of what was known from the same source."""
    _take_out(session, found.source)
    row = Document(
        source=found.source,
        title=found.title,
        url=found.url,
        sha256=found.sha256,
        channel_id=found.channel_id,
        problem=found.problem,
        updated_at=now(),
    )
    session.add(row)
    session.flush()
    rows = [
        {"document_id": row.id, "position": position, "heading": piece.heading, "text": piece.text}
        for position, piece in enumerate(found.pieces)
    ]
    if rows:
        session.exec(insert(Passage), params=rows)
    facts: dict[str, audit.Fact] = {"sha256": found.sha256, "channel": found.channel_id}
    audit.note(session, Act(AuditAction.DOCUMENT, about=_named(found.source), details=facts))


def remove(session: Session, source: str) -> bool:
    """Forget a document and its passages; False where there was none."""
    if not _take_out(session, source):
        return False
    audit.note(session, Act(AuditAction.REMOVE_DOCUMENT, about=_named(source)))
    return True


def _named(source: str) -> str:
    return f"document {source}"


def _take_out(session: Session, source: str) -> bool:
    known = session.exec(select(Document.id).where(Document.source == source)).first()
    if known is None:
        return False
    session.exec(delete(Passage).where(col(Passage.document_id) == known))
    session.exec(delete(Document).where(col(Document.id) == known))
    return True


def pieces(session: Session, document_id: int) -> list[Piece]:
    """The passages of a document, in reading order."""
    rows = session.exec(select(Passage).where(Passage.document_id == document_id).order_by(col(Passage.position)))
    return [Piece(row.heading, row.text) for row in rows]
