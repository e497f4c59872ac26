"""The embedded full-text index: an SQLite file of its own, which can be thrown away and built again.

Passages are found with FTS5's BM25 (https://sqlite.org/fts5.html) over stemmed words and pairs of neighbouring
words; a match in the title counts more. A passage belongs to everybody or to one channel, and a search sees only
what its channel may see.
"""

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from store.knowledge.passages import Piece
from store.knowledge.ranking import Evidence
from store.session import sqlite_module

TITLE_WEIGHT = 8.0
"""How much more a word counts in the title or the heading than in the text."""

MOST_WORDS = 120
"""Words of a question that are searched for; a longer question is cut."""

EVERYBODY = ""

COMPARED, TITLES, STEM = 20, 3, 5
"""For the evidence: how many passages are looked at, how many titles, and letters by which words are compared."""

# Words that stand in every text: they cost time and tell nothing.
_COMMON = frozenset(
    """a an and are as at be been but by can do does for from has have how i if in into is it its may my no not of on
    or our that the their then there these this to was we what when where which will with you your
    following""".split()  # noqa: SIM905 - a list of 58 strings is harder to read
)

_TABLE = """CREATE VIRTUAL TABLE IF NOT EXISTS passage USING fts5(
    title, heading, text, source UNINDEXED, channel UNINDEXED, tokenize = 'porter unicode61')"""


@dataclass(frozen=True)
class Entry:
    """A document in the index: where it comes from, its title and its passages; `channel` alone may see it."""

    source: str
    title: str
    pieces: list[Piece]
    channel: str = EVERYBODY


@dataclass(frozen=True)
class Hit:
    """A passage that was found, with its BM25 score (higher is better; 0 where it was not found by its words)."""

    id: int
    source: str
    title: str
    heading: str
    text: str
    score: float = 0.0


class Index:
    """The passages in one SQLite file, or in memory without one."""

    def __init__(self, path: Path | None = None) -> None:
        # Whoever shares it between threads takes turns.
        self._db = sqlite_module().connect(str(path) if path else ":memory:", check_same_thread=False)
        self._db.execute(_TABLE)

    def replace(self, entries: Iterable[Entry]) -> None:
        """Put documents in, each in place of what was there from the same source."""
        with self._db:
            for entry in entries:
                self._db.execute("DELETE FROM passage WHERE source = ?", (entry.source,))
                self._db.executemany(
                    "INSERT INTO passage (title, heading, text, source, channel) VALUES (?, ?, ?, ?, ?)",
                    [(entry.title, one.heading, one.text, entry.source, entry.channel) for one in entry.pieces],
                )

    def remove(self, source: str) -> None:
        """Forget a document."""
        with self._db:
            self._db.execute("DELETE FROM passage WHERE source = ?", (source,))

    def search(self, question: str, channel: str = EVERYBODY, limit: int = 5) -> list[Hit]:
        """The passages with most in common with a question, best first, of those that the channel may see."""
        words, pairs = _asked(question)
        if not words:
            return []
        rows = self._db.execute(
            f"SELECT rowid, source, title, heading, text, -bm25(passage, {TITLE_WEIGHT}, {TITLE_WEIGHT}, 1.0) AS score"  # nosec B608 # noqa: S608 - a constant of ours
            " FROM passage WHERE passage MATCH ? AND channel IN ('', ?) ORDER BY score DESC LIMIT ?",
            (" OR ".join([*words, *pairs]), channel, limit),
        )
        return [Hit(*row) for row in rows]

    def hits(self, ids: Sequence[int]) -> list[Hit]:
        """Passages by their ids, in that order; one that is no longer there is left out."""
        query = "SELECT rowid, source, title, heading, text FROM passage WHERE rowid = ?"
        return [Hit(*row) for one in ids for row in self._db.execute(query, (one,))]

    def passages(self) -> list[tuple[Hit, str]]:
        """Every passage, and the channel that alone may see it."""
        rows = self._db.execute("SELECT rowid, source, title, heading, text, channel FROM passage")
        return [(Hit(*row), channel) for *row, channel in rows]

    def evidence(self, question: str, channel: str = EVERYBODY) -> Evidence | None:
        """How well the best documents that the channel may see fit the question; None where nothing is found."""
        best: dict[str, Hit] = {}
        for hit in self.search(question, channel, COMPARED):
            best.setdefault(hit.source, hit)
        if not best:
            return None
        first, *others = best.values()
        words, _ = _asked(question)
        rarity = sum(self._rarity(word) for word in words)
        named = {word.strip('"')[:STEM] for word in words}
        weights = {word: self._rarity(word) for word in _asked(first.title)[0]}
        covered = sum(weight for word, weight in weights.items() if word.strip('"')[:STEM] in named)
        return Evidence(
            match=first.score / math.sqrt(rarity),
            title=covered / (sum(weights.values()) or 1.0),
            any_title=max(_share(hit.title, named) for hit in [first, *others][:TITLES]),
            lead=(first.score - others[0].score) / first.score if others else 1.0,
        )

    def _rarity(self, term: str) -> float:
        """Inverse document frequency as in BM25."""
        total = self._db.execute("SELECT count(*) FROM passage").fetchone()[0]
        holding = self._db.execute("SELECT count(*) FROM passage WHERE passage MATCH ?", (term,)).fetchone()[0]
        return math.log((total - holding + 0.5) / (holding + 0.5) + 1)


def _share(title: str, named: Collection[str]) -> float:
    """The share of a title's words that are among the stems."""
    words = _asked(title)[0]
    return sum(word.strip('"')[:STEM] in named for word in words) / max(1, len(words))


def _asked(question: str) -> tuple[list[str], list[str]]:
    """The question's words and pairs of words as FTS5 phrases; only word characters get through, so none is syntax."""
    said = re.findall(r"[^\W_]+", question.lower())[:MOST_WORDS]
    words = dict.fromkeys(f'"{word}"' for word in said if word not in _COMMON)
    pairs = dict.fromkeys(f'"{first} {second}"' for first, second in pairwise(said))
    return list(words), list(pairs)
