"""The vectors in the store: made once by one bot, read by all."""

from collections.abc import Collection, Iterator, Mapping

import numpy as np
from sqlmodel import Session, col, delete, select

from store.inserting import insert_ignoring
from store.knowledge.dense import Vector
from store.tables import PassageVector

AT_ONCE = 500
"""Keys in one query: databases limit how many values a query may have."""


def read(session: Session, model: str, keys: Collection[str]) -> dict[str, Vector]:
    """The vectors that a model gave for these texts, of those that are there."""
    return {
        row.sha256: np.frombuffer(row.vector, dtype="<f4").astype(np.float32)
        for some in _parts(sorted(keys))
        for row in session.exec(
            select(PassageVector).where(PassageVector.model == model, col(PassageVector.sha256).in_(some))
        )
    }


def put(session: Session, model: str, vectors: Mapping[str, Vector]) -> None:
    """Store what a model gave, by the texts' keys; what is there already stays."""
    for key, vector in vectors.items():
        row = {"sha256": key, "model": model, "vector": vector.astype("<f4").tobytes()}
        insert_ignoring(session, PassageVector, row)


def keep_only(session: Session, model: str, keys: Collection[str]) -> int:
    """Forget the vectors of every other model and of texts that no document has any more; how many those were."""
    known = session.exec(select(PassageVector.sha256).where(PassageVector.model == model)).all()
    gone = [key for key in known if key not in keys]
    for some in _parts(gone):
        session.exec(delete(PassageVector).where(col(PassageVector.sha256).in_(some)))
    others = session.exec(delete(PassageVector).where(col(PassageVector.model) != model))
    return len(gone) + others.rowcount


def _parts(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]
