"""Which arm pays, and why, in words that need no statistics."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from store.settings import CompareSettings
from trainer.compare.arms import ADAPTER, BOTH, RETRIEVAL
from trainer.compare.measure import Result
from trainer.facts import facts

FEWEST = 12
"""Questions below which nothing is recommended."""


@dataclass(frozen=True)
class Edit:
    """A fact as `trainer.facts` writes it, before a document was edited and after."""

    old: str
    new: str


@dataclass(frozen=True)
class Difference:
    """By how many points one arm is right more often than another, question by question, with its interval."""

    points: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        """Whether it is more than chance."""
        return self.low > 0 or self.high < 0


def difference(one: Result, other: Result, confidence: float) -> Difference:
    """One arm against another, paired by question (Student's interval)."""
    from scipy.stats import t

    gaps = np.array([a.right - b.right for a, b in zip(one.given, other.given, strict=True)])
    error = float(gaps.std(ddof=1)) / math.sqrt(len(gaps)) if len(gaps) > 1 else math.inf
    reach = float(t.ppf(0.5 + confidence / 2, max(1, len(gaps) - 1))) * error
    points = float(gaps.mean())
    return Difference(points, points - reach, points + reach)


def recommend(results: Sequence[Result], prices: CompareSettings, confidence: float) -> str:
    """The cheapest of the arms that nothing beats by more than chance, with the reason."""
    number = len(results[0].given)
    if number < FEWEST:
        return f"Only {number} tickets were asked, and {FEWEST} are needed to recommend anything."
    best = max(results, key=lambda result: result.right)
    if best.right == 0:
        return "No arm gave one right answer: the model is too small for these tickets, or knows too little of them."
    as_good = [result for result in results if result.right and not difference(best, result, confidence).certain]
    chosen = min(as_good, key=lambda result: result.cost(prices))
    cost = f"{prices.currency}{chosen.cost(prices):.3f} for 1,000 answers"
    words = f"*{chosen.arm}* pays: it is right in {chosen.right:.0f} % of {number} tickets at {cost}"
    if chosen.arm != best.arm:
        gap = difference(best, chosen, confidence)
        words += (
            f". *{best.arm}* is right in {best.right:.0f} %, which is within chance "
            f"({gap.low:+.0f} to {gap.high:+.0f} points)"
        )
        if chosen.cost(prices):
            words += f", and costs {best.cost(prices) / chosen.cost(prices):.1f} times as much"
    beaten = [result for result in results if difference(best, result, confidence).certain]
    if beaten:
        named = ", ".join(f"*{result.arm}* ({result.right:.0f} %)" for result in beaten)
        words += f". Worse by more than chance: {named}"
    return f"{words}."


@dataclass(frozen=True)
class Followed:
    """How often an arm told the old fact before the documents were edited, and each of both afterwards, in percent."""

    arm: str
    old_before: float
    old_after: float
    new_after: float

    @property
    def follows(self) -> bool:
        """Whether it tells the new fact more often than the old one, and half as often at least as it had told that."""
        return self.new_after > self.old_after and self.new_after >= self.old_before / 2


def followed(before: Result, after: Result, edits: Sequence[Edit]) -> Followed:
    """What an arm told of each question's edited fact; `after` answered once the documents were edited, untaught."""

    def told(result: Result, values: Sequence[str]) -> float:
        stated = [value in facts(one.text) for one, value in zip(result.given, values, strict=True)]
        return 100.0 * sum(stated) / len(stated)

    old, new = [edit.old for edit in edits], [edit.new for edit in edits]
    return Followed(after.arm, told(before, old), told(after, old), told(after, new))


def in_words(found: Sequence[Followed]) -> str:
    """Which of the arms that could know the fact follow the documents."""
    sentences = []
    for one in found:
        if one.arm not in (RETRIEVAL, ADAPTER, BOTH):
            continue
        if not (one.old_before or one.old_after or one.new_after):
            sentences.append(f"*{one.arm}* told neither fact at any time.")
            continue
        verb = "follows" if one.follows else "does not follow"
        sentences.append(
            f"*{one.arm}* {verb} the documents: it told the old fact in {one.old_before:.0f} % of the answers before "
            f"the edit, and after it the new one in {one.new_after:.0f} % and the old one in {one.old_after:.0f} %."
        )
    return " ".join(sentences)
