"""Which arm pays, and why, in words that need no statistics."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from store.settings import CompareSettings
from trainer.compare.arms import ADAPTER, BOTH, RETRIEVAL
from trainer.compare.measure import Result

FEWEST = 12
"""Questions below which nothing is recommended."""


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
    as_good = [result for result in results if not difference(best, result, confidence).certain]
    chosen = min(as_good, key=lambda result: result.cost(prices))
    cost = f"{prices.currency}{chosen.cost(prices):.3f} for 1,000 answers"
    if best.right == 0:
        return "No arm gave one right answer: the model is too small for these tickets, or knows too little of them."
    words = f"*{chosen.arm}* pays: it is right in {chosen.right:.0f} % of {number} tickets at {cost}"
    if chosen.arm != best.arm:
        gap = difference(best, chosen, confidence)
        words += (
            f". *{best.arm}* is right in {best.right:.0f} %, which is within chance "
            f"({gap.low:+.0f} to {gap.high:+.0f} points), and costs {best.cost(prices) / chosen.cost(prices):.1f} times"
            " as much"
        )
    beaten = [result for result in results if result not in as_good]
    if beaten:
        named = ", ".join(f"*{result.arm}* ({result.right:.0f} %)" for result in beaten)
        words += f". Worse by more than chance: {named}"
    return f"{words}."


def follows_edits(before: Sequence[Result], after: Sequence[Result], confidence: float) -> str:
    """Which arms told the new facts once documents had changed and nothing was trained anew.

    `before` answered the questions of the changed documents as the old ones say, `after` as the new ones do.
    """
    sentences = []
    was = {result.arm: result for result in before}
    for result in after:
        if result.arm not in (RETRIEVAL, ADAPTER, BOTH):
            continue
        low, high = result.interval(confidence)
        old = was[result.arm].right
        kept = result.right >= old / 2 and result.right > 0
        verb = "follows the documents" if kept else "does not follow the documents"
        sentences.append(
            f"*{result.arm}* {verb}: {old:.0f} % right before the edit, {result.right:.0f} % after it "
            f"({low:.0f} to {high:.0f})."
        )
    return " ".join(sentences)
