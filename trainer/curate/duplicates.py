"""Repetitions: exact ones are dropped, near ones are grouped so that a group never straddles the splits.

Near means that the sets of character 4-grams of two questions overlap by at least `NEAR` (Jaccard). Candidates come
from MinHash with locality-sensitive hashing (Broder 1997; datasketch), and are then compared exactly.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence

from datasketch import MinHash, MinHashLSH

from trainer.curate.lesson import Lesson, Reason, Tally

NEAR = 0.6
GRAM = 4
PERMUTATIONS = 64

NOT_WORD = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """A text without case, punctuation and spacing, by which repetitions are recognised."""
    return NOT_WORD.sub(" ", text.casefold()).strip()


def without_superseded(lessons: Sequence[Lesson], tally: Tally) -> list[Lesson]:
    """Drop accepted answers whose very question was later answered by a reviewer's correction."""
    corrected_at = {
        plain(lesson.question): lesson.decided_at
        for lesson in sorted(lessons, key=lambda lesson: lesson.decided_at)
        if lesson.corrected
    }

    def superseded(lesson: Lesson) -> Reason | None:
        correction = corrected_at.get(plain(lesson.question))
        return Reason.SUPERSEDED if correction is not None and lesson.decided_at < correction else None

    return tally.keep(lessons, superseded)


def without_repeats(lessons: Sequence[Lesson], tally: Tally) -> list[Lesson]:
    """Keep one lesson of each question and answer: a correction before an accepted answer, else the earliest."""
    first: dict[tuple[str, str], int] = {}
    for lesson in sorted(lessons, key=lambda lesson: (not lesson.corrected, lesson.answer_id)):
        first.setdefault((plain(lesson.question), plain(lesson.completion)), lesson.answer_id)
    kept = set(first.values())
    return tally.keep(lessons, lambda lesson: None if lesson.answer_id in kept else Reason.DUPLICATE)


class NearQuestions:
    """Questions seen so far, each under a label; finds the one that is nearest to a new question."""

    def __init__(self) -> None:
        # The threshold of the candidates lies below NEAR: hashing is approximate, the comparison after it is exact.
        self._candidates = MinHashLSH(threshold=NEAR - 0.15, num_perm=PERMUTATIONS)
        self._grams: dict[str, frozenset[bytes]] = {}
        self._labels: dict[str, str] = {}

    def add(self, question: str, label: str) -> None:
        """Remember a question; the first label of a text stays."""
        key = plain(question)
        if key in self._grams:
            return
        self._grams[key] = _grams(key)
        self._labels[key] = label
        self._candidates.insert(key, _min_hash(self._grams[key]))

    def nearest(self, question: str) -> str | None:
        """The label of the most similar question of those near enough, None if there is none."""
        key = plain(question)
        if key in self._labels:
            return self._labels[key]
        grams = _grams(key)
        found = [(_jaccard(grams, self._grams[other]), other) for other in self._candidates.query(_min_hash(grams))]
        near = [(similarity, other) for similarity, other in found if similarity >= NEAR]
        return self._labels[max(near)[1]] if near else None


def _grams(key: str) -> frozenset[bytes]:
    return frozenset(key[i : i + GRAM].encode() for i in range(max(1, len(key) - GRAM + 1)))


def _min_hash(grams: Iterable[bytes]) -> MinHash:
    hashed = MinHash(num_perm=PERMUTATIONS, seed=1, hashfunc=_hash32)
    hashed.update_batch(sorted(grams))
    return hashed


def _hash32(gram: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(gram, digest_size=4).digest(), "little")


def _jaccard(left: frozenset[bytes], right: frozenset[bytes]) -> float:
    shared = len(left & right)
    return shared / (len(left) + len(right) - shared)
