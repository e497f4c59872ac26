"""Every correction is a regression item: what a reviewer has put right is asked again of each new version.

Whether breaking more than fixing is more than chance is told by the exact sign test (McNemar 1947, by scipy).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from store.settings import GateSettings
from store.words import GateVerdict
from trainer.gate import Decision
from trainer.scores import right


@dataclass(frozen=True)
class Correction:
    """One correction, and how both versions' answers to it were scored."""

    item: int
    """Its place among the items of the evaluation."""
    must: bool
    """Whether a reviewer said that it must stay right."""
    candidate: Mapping[str, float]
    champion: Mapping[str, float]

    @property
    def fixed(self) -> bool:
        """The candidate has it right, the champion had not."""
        return right(self.candidate) and not right(self.champion)

    @property
    def broken(self) -> bool:
        """The champion had it right, the candidate has not."""
        return right(self.champion) and not right(self.candidate)


@dataclass(frozen=True)
class Regressions:
    """What a candidate does to the corrections; the lists hold places of items."""

    asked: int
    candidate: int
    champion: int
    fixed: list[int]
    broken: list[int]
    must_broken: list[int]


def count(corrections: Sequence[Correction]) -> Regressions:
    """How many each has right, and which the candidate fixes and breaks; what must stay right comes first."""
    broken = sorted((each for each in corrections if each.broken), key=lambda each: not each.must)
    return Regressions(
        len(corrections),
        sum(right(each.candidate) for each in corrections),
        sum(right(each.champion) for each in corrections),
        [each.item for each in corrections if each.fixed],
        [each.item for each in broken],
        [each.item for each in broken if each.must],
    )


def after_regressions(decision: Decision, found: Regressions, champion: str, settings: GateSettings) -> Decision:
    """The decision with a sentence about the corrections; stricter where the candidate breaks what it must not."""
    summary = f"{decision.summary} {_in_words(found, champion)}".strip()
    if found.must_broken:
        count = len(found.must_broken)
        what = "an answer that reviewers say" if count == 1 else f"{count} answers that reviewers say"
        return replace(
            decision,
            verdict=GateVerdict.REJECT,
            summary=f"Do not promote: it gets {what} must stay right wrong. {_unpromoted(summary)}",
        )
    if decision.verdict is GateVerdict.PROMOTE and _breaks_more(found, settings):
        return replace(
            decision,
            verdict=GateVerdict.HOLD,
            summary=f"Hold: it breaks more corrections than it fixes. {_unpromoted(summary)}",
        )
    return replace(decision, summary=summary)


def _breaks_more(found: Regressions, settings: GateSettings) -> bool:
    from scipy.stats import binomtest

    changed = len(found.broken) + len(found.fixed)
    if not changed:
        return False
    return bool(binomtest(len(found.broken), changed, alternative="greater").pvalue < 1 - settings.confidence)


def _in_words(found: Regressions, champion: str) -> str:
    if not found.asked:
        return ""
    wrong = found.asked - found.champion
    return (
        f"Of {found.asked} corrections it answers {found.candidate} right, {champion} {found.champion}: "
        f"it fixes {len(found.fixed)} of {wrong} and breaks {len(found.broken) or 'none'}."
    )


def _unpromoted(summary: str) -> str:
    """A summary without its verdict, to follow another one."""
    for verdict in ("Promote: ", "Hold: "):
        if summary.startswith(verdict):
            return f"Otherwise {summary.removeprefix(verdict)}"
    return summary.removeprefix("Do not promote: ")
