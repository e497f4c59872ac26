"""Joins rankings of the same passages, and tells whether what was found answers the question at all."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

FUSION_CONSTANT = 60
"""k of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""


@dataclass(frozen=True)
class Evidence:
    """How well the best passage fits a question: its BM25 score, and the shares (0 to 1) of what it could reach."""

    score: float
    share: float
    """Score over the summed rarity of the question's words and pairs of words."""
    coverage: float
    """Summed rarity of the question's words that the passage holds, over that of all."""


def fuse(rankings: Sequence[Sequence[int]]) -> list[int]:
    """The ids of all rankings, best first, by the sum of 1 / (60 + rank) over the rankings that hold them."""
    points: defaultdict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            points[item] += 1 / (FUSION_CONSTANT + rank)
    return sorted(points, key=lambda item: -points[item])


def features(evidence: Evidence) -> tuple[float, float, float]:
    """What a logistic model of "does this answer?" weighs: logarithms, so that its weights are exponents."""
    return _log(evidence.score), _log(evidence.share), _log(evidence.coverage)


def _log(value: float) -> float:
    return math.log(value + 1e-3)
