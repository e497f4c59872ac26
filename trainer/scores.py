"""How good one answer is, measured against the answer that a reviewer stands behind.

chrF: Popović 2015, by sacrebleu. ROUGE-L: Lin 2004, by rouge-score. Both here from 0 to 100.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from trainer.facts import recall
from trainer.manners import as_sure, flatters

LIKELIHOOD, CHRF, ROUGE, FACTS, LENGTH = "likelihood", "chrf", "rouge_l", "facts", "length"
PLAIN, SURE = "plain", "sure"

RIGHT_ROUGE = 50.0
"""ROUGE-L from which an answer without exact facts counts as right."""

NATS = "nats per token"
"""The unit of likelihoods, whose differences lie behind the point."""

NATS_OF_ALL = "nats"
"""The unit of likelihoods of whole answers."""

NOTICEABLE_CHRF = 5.0
"""Points of chrF by which two answers must differ to count one as the better, where facts do not decide."""


@dataclass(frozen=True)
class MeasureName:
    """A measure's name in the scores, what people call it, its unit, and whether the verdict counts it."""

    name: str
    label: str
    unit: str
    decides: bool = True
    drift: bool = False
    """Whether it only matters when it changes: while both versions have it alike everywhere, it is not shown."""


MEASURES = (
    MeasureName(LIKELIHOOD, "How likely it finds the accepted answer", NATS),
    MeasureName(FACTS, "Exact facts it states (numbers, links, times)", "%"),
    MeasureName(CHRF, "Closeness of wording (chrF)", "points"),
    MeasureName(ROUGE, "Same words in the same order (ROUGE-L)", "points"),
    MeasureName(PLAIN, "Answers without flattery that the accepted one has not", "%", drift=True),
    MeasureName(SURE, "Answers that say so where, and only where, they do not know", "%", drift=True),
    MeasureName(LENGTH, "Length of its answers against the accepted ones", "times", decides=False),
)


def scores(answer: str, reference: str, mean_logprob: float) -> dict[str, float]:
    """Every measure of an answer; `facts` is left out where the reference states none.

    Args:
        answer: what the model said.
        reference: the answer that a reviewer stands behind.
        mean_logprob: mean log-probability of a token of the reference, under the model.
    """
    from sacrebleu import sentence_chrf

    found = {
        LIKELIHOOD: mean_logprob,
        CHRF: float(sentence_chrf(answer, [reference]).score),
        ROUGE: 100 * float(_rouge().score(reference, answer)["rougeL"].fmeasure),
        LENGTH: len(answer) / max(1, len(reference)),
        PLAIN: 0.0 if flatters(answer, reference) else 100.0,
        SURE: 100.0 if as_sure(answer, reference) else 0.0,
    }
    share = recall(reference, answer)
    return found if share is None else {**found, FACTS: 100 * share}


def compare(candidate: Mapping[str, float], champion: Mapping[str, float]) -> float:
    """By how much the candidate's answer is better: facts first, then wording; 0 when they are as good as equal."""
    facts = candidate.get(FACTS, 0.0) - champion.get(FACTS, 0.0)
    wording = candidate[CHRF] - champion[CHRF]
    if facts:
        return facts
    return wording if abs(wording) >= NOTICEABLE_CHRF else 0.0


def right(found: Mapping[str, float]) -> bool:
    """Whether an answer is right: it states every exact fact, or where there are none, much of the wording."""
    return found[FACTS] == 100 if FACTS in found else found[ROUGE] >= RIGHT_ROUGE


@cache
def _rouge() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"])
