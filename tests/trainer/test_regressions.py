"""Corrections are asked again of every version, and what must stay right holds a version back."""

import pytest

from store.settings import GateSettings
from store.words import GateVerdict
from trainer.gate import Decision
from trainer.regressions import Correction, after_regressions, count

RIGHT, WRONG = {"facts": 100.0, "rouge_l": 90.0}, {"facts": 0.0, "rouge_l": 10.0}
BETTER = Decision(GateVerdict.PROMOTE, "Promote: it is better on 4 of 4 measures, worse on none.")


def corrections(fixed: int, broken: int, kept: int, *, must: bool = False) -> list[Correction]:
    given = [(RIGHT, WRONG)] * fixed + [(WRONG, RIGHT)] * broken + [(RIGHT, RIGHT)] * kept
    return [Correction(place, must, ours, theirs) for place, (ours, theirs) in enumerate(given)]


def judged(fixed: int, broken: int, kept: int, *, must: bool = False) -> Decision:
    found = count(corrections(fixed, broken, kept, must=must))
    return after_regressions(BETTER, found, "v1", GateSettings())


def test_what_is_fixed_and_what_is_broken_is_counted_and_named() -> None:
    found = count(corrections(14, 2, 1))
    assert (found.asked, found.candidate, found.champion) == (17, 15, 3)
    assert (len(found.fixed), found.broken, found.must_broken) == (14, [14, 15], [])
    decision = judged(14, 2, 1)
    assert decision.verdict is GateVerdict.PROMOTE
    assert decision.summary.endswith("Of 17 corrections it answers 15 right, v1 3: it fixes 14 of 14 and breaks 2.")


def test_a_better_version_that_breaks_what_must_stay_right_is_never_recommended() -> None:
    decision = judged(40, 1, 100, must=True)
    assert decision.verdict is GateVerdict.REJECT
    assert decision.summary.startswith("Do not promote: it gets an answer that reviewers say must stay right wrong.")
    assert judged(40, 1, 100).verdict is GateVerdict.PROMOTE


def test_what_must_stay_right_and_was_wrong_before_is_not_broken() -> None:
    both_wrong = [Correction(0, True, WRONG, WRONG)]
    assert after_regressions(BETTER, count(both_wrong), "v1", GateSettings()).verdict is GateVerdict.PROMOTE


@pytest.mark.parametrize(("fixed", "broken", "verdict"), [
    (0, 4, GateVerdict.PROMOTE), (0, 5, GateVerdict.HOLD), (2, 9, GateVerdict.HOLD), (3, 9, GateVerdict.PROMOTE),
])  # fmt: skip
def test_breaking_more_than_fixing_counts_once_it_is_more_than_chance(
    fixed: int, broken: int, verdict: GateVerdict
) -> None:
    """Exact sign test at 5 %: 5 of 5 has probability 0.031, 4 of 4 0.063; 9 of 11 has 0.033, 9 of 12 0.073."""
    assert judged(fixed, broken, 30).verdict is verdict


def test_without_corrections_nothing_is_said() -> None:
    assert after_regressions(BETTER, count([]), "v1", GateSettings()) == BETTER
