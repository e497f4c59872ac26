"""Joins rankings of the same passages, and tells whether what was found answers the question at all."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

FUSION_CONSTANT = 60
"""k of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""


@dataclass(frozen=True)
class Evidence:
    """How well what was found fits a question; shares are from 0 to 1."""

    match: float
    """BM25 score of the best passage, over the root of the summed rarity of the words: long questions score more."""
    title: float
    """The share of the best document's title, by rarity of its words, that the question names."""
    any_title: float
    """The largest share of a title, by number of words, that the question names, of the three best documents."""
    lead: float
    """How far the best document is before the second, as a share of its score."""


def fuse(rankings: Sequence[Sequence[int]]) -> list[int]:
    """The ids of all rankings, best first, by the sum of 1 / (60 + rank) over the rankings that hold them."""
    points: defaultdict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            points[item] += 1 / (FUSION_CONSTANT + rank)
    return sorted(points, key=lambda item: -points[item])


def features(evidence: Evidence) -> tuple[float, ...]:
    """What a logistic model of "does this answer?" weighs."""
    return evidence.match, evidence.title, evidence.match * evidence.title, evidence.any_title, evidence.lead
