"""The gate: from paired scores to promote, hold or reject, with reasons that need no statistics to be understood.

Both versions answered the same tickets, so each measure is judged on its differences ticket by ticket: the interval is
Student's for paired samples. On scores of real nights it keeps its level with as few tickets as eight, where a
percentile bootstrap recommends an equal version two to three times too often (docs/benchmarks.md). A difference counts
when its interval leaves out zero. The likelihood decides whether a version is better and has the whole level for
itself; the other measures are there to object, and share it between them (Bonferroni), so that many measures do not
object by chance.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from store.settings import GateSettings
from store.words import GateVerdict
from trainer.scores import FACTS, LIKELIHOOD, MEASURES, MeasureName, compare


@dataclass(frozen=True)
class Pair:
    """The scores of candidate and champion on one ticket."""

    candidate: Mapping[str, float]
    champion: Mapping[str, float]


@dataclass(frozen=True)
class Measure:
    """One measure over all tickets: both means, their difference and its interval; `better` is None when in doubt."""

    name: str
    label: str
    unit: str
    candidate: float
    champion: float
    difference: float
    low: float
    high: float
    better: bool | None


@dataclass(frozen=True)
class Decision:
    """What the gate recommends, and why in words."""

    verdict: GateVerdict
    summary: str
    measures: tuple[Measure, ...] = ()
    detectable: float | None = None
    """The gain in likelihood, in nats per token, that would have shown itself; None with fewer than two tickets."""


def decide(pairs: Sequence[Pair], settings: GateSettings, candidate: str, champion: str) -> Decision:
    """Judge a candidate against the champion on held-out tickets."""
    broken = sum(not _finite(pair.candidate) for pair in pairs)
    if broken:
        return Decision(
            GateVerdict.REJECT,
            f"{candidate} is broken: on {broken} of {len(pairs)} held-out tickets its answer has no valid probability. "
            "Keep the present version and run the night again.",
        )
    usable = [pair for pair in pairs if _finite(pair.champion)]
    measures = tuple(found for name in MEASURES if (found := measured(name, usable, settings)) is not None)
    detectable = detectable_gain(usable, settings)
    verdict, reason = _verdict(measures, len(usable), settings)
    said = [reason, _in_tickets(usable, measures, candidate, champion)]
    if verdict is GateVerdict.HOLD and detectable is not None:
        said.append(_power_in_words(detectable, len(usable), settings))
    return Decision(verdict, " ".join(filter(None, said)), measures, detectable)


def _finite(scores: Mapping[str, float]) -> bool:
    return all(math.isfinite(value) for value in scores.values())


def measured(name: MeasureName, pairs: Sequence[Pair], settings: GateSettings) -> Measure | None:
    """A measure over the pairs that have it; None when fewer than two have, or when it tells of a drift and none is."""
    both = [
        (pair.candidate[name.name], pair.champion[name.name])
        for pair in pairs
        if name.name in pair.candidate and name.name in pair.champion
    ]
    if len(both) < 2:
        return None
    values = np.array(both)
    differences = values[:, 0] - values[:, 1]
    if name.drift and not differences.any():
        return None
    low, high = _interval(differences, _level(name, settings))
    better = True if low > 0 else False if high < 0 else None
    return Measure(
        name=name.name,
        label=name.label,
        unit=name.unit,
        candidate=float(values[:, 0].mean()),
        champion=float(values[:, 1].mean()),
        difference=float(differences.mean()),
        low=low,
        high=high,
        better=better if name.decides else None,
    )


def _level(name: MeasureName, settings: GateSettings) -> float:
    """The level of a measure's interval: all of the settings' for one that stands alone, a share for an objector."""
    objectors = [other for other in MEASURES if other.decides and other.name != LIKELIHOOD]
    return 1 - (1 - settings.confidence) / (len(objectors) if name in objectors else 1)


def _interval(differences: "np.ndarray[tuple[int], np.dtype[np.float64]]", level: float) -> tuple[float, float]:
    from scipy.stats import t

    error = float(differences.std(ddof=1)) / math.sqrt(len(differences))
    reach = float(t.ppf(0.5 + level / 2, len(differences) - 1)) * error
    mean = float(differences.mean())
    return mean - reach, mean + reach


def _verdict(measures: Sequence[Measure], items: int, settings: GateSettings) -> tuple[GateVerdict, str]:
    judged = [measure for measure in measures if any(m.name == measure.name and m.decides for m in MEASURES)]
    better = [measure for measure in judged if measure.better]
    worse = [measure for measure in judged if measure.better is False]
    counts = f"better on {len(better)} of {len(judged)} measures, worse on {len(worse) or 'none'}"
    if worse and not better:
        named = ", ".join(f"{_lower(measure.label)}" for measure in worse)
        return GateVerdict.REJECT, f"Do not promote: it is measurably worse ({named}) and better in nothing."
    if items < settings.min_items:
        return GateVerdict.HOLD, (
            f"Hold: only {items} held-out tickets could be compared and {settings.min_items} are needed to be sure. "
            "Look at the examples."
        )
    if worse:
        named = ", ".join(_lower(measure.label) for measure in worse)
        return GateVerdict.HOLD, f"Hold: it is {counts} ({named}). Look at the examples before you decide."
    likelihood = next((measure for measure in judged if measure.name == LIKELIHOOD), None)
    if likelihood is None or not likelihood.better or likelihood.difference < settings.smallest_gain:
        return GateVerdict.HOLD, (
            f"Hold: it is {counts}, but what it gained on tickets it had not seen is within chance. "
            "It does no measurable harm."
        )
    return GateVerdict.PROMOTE, f"Promote: it is {counts}."


def detectable_gain(pairs: Sequence[Pair], settings: GateSettings, tickets: int | None = None) -> float | None:
    """The true gain in likelihood, in nats per token, that shows itself with the power of the settings.

    From the spread of the differences in hand, by Student's t (Zar 2010, section 7.6); None with fewer than two pairs.

    Args:
        pairs: tells the spread.
        settings: power, level, and the smallest gain that is worth a promotion.
        tickets: how many are compared; as many as there are pairs unless said.
    """
    from scipy.stats import t

    if len(pairs) < 2:
        return None
    items = tickets or len(pairs)
    spread = float(np.std([pair.candidate[LIKELIHOOD] - pair.champion[LIKELIHOOD] for pair in pairs], ddof=1))
    free, error = items - 1, spread / math.sqrt(items)
    to_count = max(settings.smallest_gain, float(t.ppf(0.5 + settings.confidence / 2, free)) * error)
    return to_count + float(t.ppf(settings.power, free)) * error


def _power_in_words(detectable: float, items: int, settings: GateSettings) -> str:
    return (
        f"With {items} tickets a gain of {detectable:.2f} nats per token or more shows itself "
        f"{10 * settings.power:.0f} times in 10; a smaller one may hide."
    )


def _in_tickets(pairs: Sequence[Pair], measures: Sequence[Measure], candidate: str, champion: str) -> str:
    """The comparison in numbers of tickets and of facts, which everybody can picture."""
    if not pairs:
        return ""
    gains = [compare(pair.candidate, pair.champion) for pair in pairs]
    fixed, broken = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    words = (
        f"On {len(pairs)} tickets that {candidate} has not learnt from, {fixed} of its answers are better than those "
        f"of {champion} and {broken} are worse."
    )
    facts = next((measure for measure in measures if measure.name == FACTS), None)
    if facts is not None:
        words += f" It states {facts.candidate:.0f} % of the exact facts, {champion} {facts.champion:.0f} %."
    return words


def _lower(label: str) -> str:
    return label[0].lower() + label[1:]
