"""How good the gate itself is: simulated nights, drawn from the scores of real ones.

`gate_scores.json` has each measure of 54 held-out questions of five versions, as `school_nights.py` found them. Where
candidate and champion change places at random, question by question, neither is better, whatever the spread and the
tails of their differences; a known gain in likelihood can then be added.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.stats import bootstrap

from store.settings import GateSettings
from store.words import GateVerdict
from trainer.gate import Decision, Pair, decide, detectable_gain
from trainer.scores import LIKELIHOOD

TITLE = "The gate: how often it is wrong, in simulated nights"

SCORES: dict[str, list[dict[str, float]]] = json.loads((Path(__file__).parent / "gate_scores.json").read_text())
VERSIONS = (("v7", "v8"), ("v13", "v14"), ("v7", "anew"))
TICKETS = (8, 12, 20, 40)
GATE = GateSettings()


def table(quick: bool) -> str:
    """Judge equal and better candidates; a Markdown table by number of held-out tickets."""
    each = 50 if quick else 350
    lines = [
        "| held-out tickets | equal, yet recommended | the same by a percentile bootstrap | equal, yet rejected | "
        "better by what the card claims, recommended | twice as much |",
        "|---|---|---|---|---|---|",
    ]
    for tickets in TICKETS:
        equal = [drawn for versions in VERSIONS for drawn in draw(versions, tickets, 0.0, each)]
        verdicts = judged(equal)
        percentile = sum(_percentile_bootstrap_better(drawn) for drawn in equal) / len(equal)
        powers = [
            np.mean(
                [
                    share(judged(draw(versions, tickets, times * claimed(versions, tickets), each)))
                    for versions in VERSIONS
                ]
            )
            for times in (1, 2)
        ]
        lines.append(
            f"| {tickets} | {100 * share(verdicts):.1f} % | {100 * percentile:.1f} % | "
            f"{100 * share(verdicts, GateVerdict.REJECT):.1f} % | {100 * powers[0]:.0f} % | {100 * powers[1]:.0f} % |"
        )
    words = (
        f"{each * len(VERSIONS):,} nights a cell, drawn from the per-question scores of {len(VERSIONS)} pairs of real "
        f"versions. The gate claims at most {100 * (1 - GATE.confidence) / 2:.1f} % of equal versions recommended, and "
        f"{100 * GATE.power:.0f} % power for the gain that its card names."
    )
    return "\n".join([words, "", *lines])


def _power(tickets: int, times: int, each: int) -> float:
    """How often a candidate is recommended that is better by so many times what the card claims to show."""
    gained = [draw(versions, tickets, times * claimed(versions, tickets), each) for versions in VERSIONS]
    return float(np.mean([share(judged(nights)) for nights in gained]))


def draw(versions: tuple[str, str], tickets: int, gain: float, nights: int) -> list[list[Pair]]:
    """The held-out pairs of nights whose candidate is better by `gain` nats per token, and equal in everything else."""
    random = np.random.default_rng([tickets, *map(ord, "".join(versions))])
    return [_night(random, versions, tickets, gain) for _ in range(nights)]


def _night(random: np.random.Generator, versions: tuple[str, str], tickets: int, gain: float) -> list[Pair]:
    pairs = []
    for place in random.choice(len(SCORES[versions[0]]), tickets, replace=False):
        sides = [SCORES[version][place] for version in versions]
        ours, theirs = sides if random.random() < 0.5 else sides[::-1]
        pairs.append(Pair({**ours, LIKELIHOOD: ours[LIKELIHOOD] + gain}, theirs))
    return pairs


def judged(nights: Sequence[Sequence[Pair]]) -> list[Decision]:
    """What the gate says of each night."""
    return [decide(pairs, GATE, "v2", "v1") for pairs in nights]


def claimed(versions: tuple[str, str], tickets: int) -> float:
    """The gain that so many tickets show, in nats per token, by the spread of all the differences of these versions.

    Raises:
        ValueError: there are too few scores to tell.
    """
    both = [Pair(ours, theirs) for ours, theirs in zip(*(SCORES[version] for version in versions), strict=True)]
    mirrored = [*both, *(Pair(pair.champion, pair.candidate) for pair in both)]
    found = detectable_gain(mirrored, GATE, tickets)
    if found is None:
        raise ValueError("the power needs at least two tickets")
    return found


def share(decisions: Sequence[Decision], verdict: GateVerdict = GateVerdict.PROMOTE) -> float:
    """The share of the nights that got a verdict."""
    return sum(decision.verdict is verdict for decision in decisions) / len(decisions)


def _percentile_bootstrap_better(pairs: Sequence[Pair]) -> bool:
    differences = np.array([pair.candidate[LIKELIHOOD] - pair.champion[LIKELIHOOD] for pair in pairs])
    found = bootstrap(
        (differences,), np.mean, n_resamples=1000, confidence_level=GATE.confidence, method="percentile",
        rng=np.random.default_rng(0),
    )  # fmt: skip
    return bool(found.confidence_interval.low > 0)
