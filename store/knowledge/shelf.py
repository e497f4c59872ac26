"""The index that a process keeps of the store's documents, and what it finds for a question."""

from dataclasses import asdict, dataclass
from datetime import datetime
from threading import Lock
from typing import Any

import numpy as np
from sqlmodel import Session

from store.knowledge import library, vectors
from store.knowledge.dense import DenseIndex, Vector
from store.knowledge.index import Entry, Hit, Index
from store.knowledge.ranking import Evidence, features, fuse
from store.tables import Document

WEIGHTS = (0.278, 1.038, 0.224, 2.3, -0.386)
CONSTANT = -5.887
"""Logistic regression of `ranking.features` on 435 questions to a help desk's 674 articles, each asked of all articles
and of those without its area (`bench/retrieval.py`)."""

FUSED = 50
"""How many passages of the ranking by words and of the one by meaning are joined."""


@dataclass(frozen=True)
class ToldPassage:
    """A passage as the model is told it, by its number, and as it is kept with the answer."""

    number: int
    source: str
    title: str
    heading: str
    text: str
    url: str = ""
    channel: str = ""

    @property
    def label(self) -> str:
        """Its title, and the heading where that says more."""
        return f"{self.title} · {self.heading}" if self.heading not in ("", self.title) else self.title

    def kept(self) -> dict[str, Any]:
        """For the answer's row: without the text, which its prompt has."""
        return {name: value for name, value in asdict(self).items() if name != "text"}


class Shelf:
    """The documents of the store, indexed in memory; safe to use from several threads."""

    def __init__(self, embedding_model: str = "") -> None:
        """Empty until `refresh`. Without the name of an embedding model passages are found by their words alone."""
        self.embedding_model = embedding_model
        self._lock = Lock()
        self._index = Index()
        self._dense = DenseIndex()
        self._known: dict[str, tuple[str, datetime]] = {}
        self._documents: dict[str, Document] = {}

    def __len__(self) -> int:
        return len(self._documents)

    def refresh(self, session: Session) -> int:
        """Take in what has changed in the store since the last time; how many documents that was."""
        rows = {row.source: row for row in library.documents(session) if not row.problem}
        stamps = {source: (row.sha256, row.updated_at) for source, row in rows.items()}
        changed = [source for source, stamp in stamps.items() if self._known.get(source) != stamp]
        gone = self._known.keys() - stamps.keys()
        entries = [
            Entry(source, rows[source].title, library.pieces(session, rows[source].id or 0), rows[source].channel_id)
            for source in changed
        ]
        with self._lock:
            self._index.replace(entries)
            for source in gone:
                self._index.remove(source)
            self._known, self._documents = stamps, rows
        if self.embedding_model:
            self._refresh_meaning(session, changed=bool(entries or gone))
        return len(changed) + len(gone)

    def _refresh_meaning(self, session: Session, *, changed: bool) -> None:
        with self._lock:
            if changed:
                self._dense.build(self._index.passages(), {})
            lacking = self._dense.lacking()
        if found := vectors.read(session, self.embedding_model, lacking):
            with self._lock:
                self._dense.build(self._index.passages(), found)

    def not_embedded(self) -> dict[str, str]:
        """The texts of passages that have no vector yet, by the keys under which vectors are stored."""
        with self._lock:
            return self._dense.lacking() if self.embedding_model else {}

    def embedded_keys(self) -> set[str]:
        """The keys of all passages' texts, whether they have a vector yet or not."""
        with self._lock:
            return self._dense.keys()

    def find(self, question: str, channel_id: str, limit: int, vector: Vector | None = None) -> list[ToldPassage]:
        """The passages with most in common with a question, numbered, of those that the channel may see.

        With the question's vector they are ranked by meaning as well, and both rankings are joined.
        """
        with self._lock:
            hits = self._index.search(question, channel_id, limit if vector is None else FUSED)
            if vector is not None:
                near = self._dense.nearest(vector, channel_id, FUSED)
                hits = self._index.hits(fuse([[hit.id for hit in hits], near])[:limit])
            return [self._told(number, hit) for number, hit in enumerate(hits, start=1)]

    def certainty(self, question: str, channel_id: str) -> float:
        """The log-odds that a document which the channel may see answers the question; -inf where nothing is found."""
        with self._lock:
            evidence: Evidence | None = self._index.evidence(question, channel_id)
        return float(np.dot(WEIGHTS, features(evidence)) + CONSTANT) if evidence else float("-inf")

    def _told(self, number: int, hit: Hit) -> ToldPassage:
        document = self._documents[hit.source]
        return ToldPassage(
            number, hit.source, hit.title, hit.heading, hit.text, url=document.url, channel=document.channel_id
        )
