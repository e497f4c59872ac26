"""How far reviewers agree beyond chance, on the answers that more than one of them judged."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlmodel import Session, col, func, select

from store.tables import Review

BANDS = {0.0: "slight", 0.2: "fair", 0.4: "moderate", 0.6: "substantial", 0.8: "almost perfect"}
"""What a kappa from this value on is called (Landis and Koch 1977, “The measurement of observer agreement”)."""


LATEST = 500


@dataclass(frozen=True)
class Agreement:
    """Agreement on `answers` answers; `same` is the share with equal verdicts, `kappa` None where it is undefined."""

    answers: int
    same: float
    kappa: float | None
    method: str

    @property
    def band(self) -> str:
        """The usual word for a kappa of this size."""
        if self.kappa is None or self.kappa < 0:
            return "none beyond chance"
        return [word for start, word in BANDS.items() if self.kappa >= start][-1]


def cohen_kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """Cohen's kappa of two raters; None when chance alone would make them agree always.

    Cohen 1960, “A coefficient of agreement for nominal scales”, Educational and Psychological Measurement 20.
    """
    count = len(pairs)
    if not count:
        return None
    left, right = Counter(pair[0] for pair in pairs), Counter(pair[1] for pair in pairs)
    observed = sum(one == other for one, other in pairs) / count
    return _beyond_chance(observed, sum(left[label] * right[label] for label in left) / count**2)


def fleiss_kappa(ratings: Sequence[Sequence[Hashable]]) -> float | None:
    """Fleiss' kappa of any raters; each row holds the same number (at least two) of ratings of one thing.

    Fleiss 1971, “Measuring nominal scale agreement among many raters”, Psychological Bulletin 76.
    """
    if not ratings:
        return None
    raters, total = len(ratings[0]), Counter(label for row in ratings for label in row)
    pairs = [sum(votes * (votes - 1) for votes in Counter(row).values()) for row in ratings]
    observed = sum(pairs) / (len(ratings) * raters * (raters - 1))
    return _beyond_chance(observed, sum(votes**2 for votes in total.values()) / (len(ratings) * raters) ** 2)


def _beyond_chance(observed: float, expected: float) -> float | None:
    return None if expected == 1 else (observed - expected) / (1 - expected)


def agreement(session: Session) -> Agreement | None:
    """The agreement of the first two verdicts on each of the last `LATEST` answers that have two; None without any.

    A third is asked only where two disagree, so it would bias the figure and is left out.
    """
    twice = select(Review.answer_id).group_by(col(Review.answer_id)).having(func.count() > 1)
    latest = session.exec(twice.order_by(col(Review.answer_id).desc()).limit(LATEST)).all()
    rows = session.exec(
        select(Review.answer_id, Review.reviewer_id, Review.verdict)
        .where(col(Review.answer_id).in_(latest))
        .order_by(col(Review.answer_id), col(Review.id))
    )
    firsts = [list(group)[:2] for _, group in groupby(rows, key=lambda row: row[0])]
    if not firsts:
        return None
    verdicts = [(one[2], other[2]) for one, other in firsts]
    same = sum(one == other for one, other in verdicts) / len(verdicts)
    if len(raters := sorted({row[1] for pair in firsts for row in pair})) == 2:
        # Each column must hold one person's verdicts, whoever was first.
        ordered = [(one[2], other[2]) if one[1] == raters[0] else (other[2], one[2]) for one, other in firsts]
        return Agreement(len(firsts), same, cohen_kappa(ordered), "Cohen")
    return Agreement(len(firsts), same, fleiss_kappa(verdicts), "Fleiss")
