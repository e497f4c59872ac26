"""Questions that mean the same, by their letters: for grouping tickets, for the review queue, for approved answers.

Near means that the sets of character 4-grams of two questions overlap by at least `NEAR` (Jaccard). Candidates come
from MinHash with locality-sensitive hashing (Broder 1997; datasketch), and are then compared exactly.
"""

import re
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

from datasketch import MinHash, MinHashLSH

NEAR = 0.6
GRAM = 4
PERMUTATIONS = 64
COMPARED_PER_LABEL = 25

NOT_WORD = re.compile(r"[\W_]+")
_ASCII_WORDS = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))


def plain(text: str) -> str:
    """A text without case, punctuation and spacing, by which repetitions are recognised."""
    if text.isascii():
        # The same, three times as fast.
        return " ".join(text.translate(_ASCII_WORDS).split())
    return NOT_WORD.sub(" ", text.casefold()).strip()


@dataclass(frozen=True)
class _Sketch:
    """A question's plain text, its 4-grams, and their MinHash."""

    key: str
    grams: frozenset[bytes]
    hashed: MinHash


class NearQuestions:
    """Questions seen so far, each under a label; finds the one that is nearest to a new question."""

    def __init__(self) -> None:
        # The threshold of the candidates lies below NEAR: hashing is approximate, the comparison after it is exact.
        self._candidates = MinHashLSH(threshold=NEAR - 0.15, num_perm=PERMUTATIONS)
        self._grams: dict[str, frozenset[bytes]] = {}
        self._labels: dict[str, str] = {}
        self._compared: Counter[str] = Counter()

    def add(self, question: str, label: str) -> None:
        """Remember a question; the first label of a text stays."""
        if plain(question) not in self._labels:
            self._add(_sketch(plain(question)), label)

    def nearest(self, question: str) -> str | None:
        """The label of the most similar question of those near enough, None if there is none."""
        return self._labels.get(plain(question)) or self._nearest(_sketch(plain(question)))

    def similar(self, question: str, least: float) -> list[str]:
        """The labels of the questions that overlap by at least `least`, the most similar first."""
        found = sorted(self._compare(_sketch(plain(question))), reverse=True)
        return [self._labels[key] for similarity, key in found if similarity >= least]

    def place(self, question: str, own: str) -> str:
        """The label of the nearest question, under which this one is remembered too; its own if none is near."""
        if known := self._labels.get(plain(question)):
            return known
        sketch = _sketch(plain(question))
        label = self._nearest(sketch) or own
        self._add(sketch, label)
        return label

    def _add(self, sketch: _Sketch, label: str) -> None:
        self._labels[sketch.key] = label
        # Thousands of alerts from one template would otherwise be compared each with each.
        if self._compared[label] < COMPARED_PER_LABEL:
            self._compared[label] += 1
            self._grams[sketch.key] = sketch.grams
            self._candidates.insert(sketch.key, sketch.hashed)

    def _nearest(self, sketch: _Sketch) -> str | None:
        near = [(similarity, key) for similarity, key in self._compare(sketch) if similarity >= NEAR]
        return self._labels[max(near)[1]] if near else None

    def _compare(self, sketch: _Sketch) -> list[tuple[float, str]]:
        return [(_jaccard(sketch.grams, self._grams[key]), key) for key in self._candidates.query(sketch.hashed)]


@cache
def _empty() -> MinHash:
    return MinHash(num_perm=PERMUTATIONS, seed=1, hashfunc=zlib.crc32)


def _sketch(key: str) -> _Sketch:
    grams = frozenset(key[i : i + GRAM].encode() for i in range(max(1, len(key) - GRAM + 1)))
    # Drawing the permutations costs more than hashing a question with them.
    hashed = _empty().copy()
    hashed.update_batch(sorted(grams))
    return _Sketch(key, grams, hashed)


def _jaccard(left: frozenset[bytes], right: frozenset[bytes]) -> float:
    shared = len(left & right)
    return shared / (len(left) + len(right) - shared)


BANDS, ROWS = 20, 3
"""Two questions of similarity s share a band with probability 1 - (1 - s^ROWS)^BANDS: 99 % at `NEAR`, 15 % at 0.2."""


def bands(question: str) -> list[int]:
    """The bands of a question's MinHash as signed 64-bit numbers, by which near ones can be looked up in a table."""
    values = _sketch(plain(question)).hashed.hashvalues
    parts = ((number, values[number * ROWS : (number + 1) * ROWS].tobytes()) for number in range(BANDS))
    digests = (blake2b(part, digest_size=8, salt=str(number).encode()).digest() for number, part in parts)
    return [int.from_bytes(digest, "big", signed=True) for digest in digests]


def similarity(left: str, right: str) -> float:
    """How much the 4-grams of two questions overlap, from 0 to 1 (Jaccard)."""
    return _jaccard(_sketch(plain(left)).grams, _sketch(plain(right)).grams)
