"""The gate's verdicts on synthetic pairs whose truth is known."""

import math

import numpy as np
import pytest

from store.settings import GateSettings
from store.words import GateVerdict
from trainer.gate import Decision, Pair, decide
from trainer.scores import CHRF, FACTS, LENGTH, LIKELIHOOD, ROUGE, scores


def pairs(gain: float, items: int = 40, noise: float = 0.3, seed: int = 3, wording: float | None = None) -> list[Pair]:
    """Pairs whose true difference is `gain` nats; in the other measures it is in proportion, or `wording`."""
    random = np.random.default_rng(seed)
    other = gain if wording is None else wording

    def one(likelihood: float, rest: float) -> dict[str, float]:
        return {
            LIKELIHOOD: -2 + likelihood,
            CHRF: 30 + 10 * rest,
            ROUGE: 25 + 10 * rest,
            FACTS: float(np.clip(40 + 40 * rest, 0, 100)),
            LENGTH: 1.0,
        }

    made = []
    for _ in range(items):
        luck, ours, theirs = random.normal(0, 1), random.normal(0, noise), random.normal(0, noise)
        made.append(Pair(one(luck + gain + ours, other + ours), one(luck + theirs, theirs)))
    return made


def judge(made: list[Pair], **settings: float) -> Decision:
    return decide(made, GateSettings.model_validate(settings), "v2", "v1")


def test_a_clear_gain_is_promoted() -> None:
    decision = judge(pairs(0.6))
    assert decision.verdict is GateVerdict.PROMOTE
    assert "better on 4 of 4 measures" in decision.summary
    assert "40 tickets that v2 has not learnt from" in decision.summary
    likelihood = next(measure for measure in decision.measures if measure.name == LIKELIHOOD)
    assert likelihood.low < 0.6 < likelihood.high
    assert likelihood.candidate - likelihood.champion == pytest.approx(likelihood.difference)


def test_no_difference_is_held() -> None:
    decision = judge(pairs(0.0))
    assert decision.verdict is GateVerdict.HOLD
    assert "within chance" in decision.summary


def test_a_clear_loss_is_rejected() -> None:
    decision = judge(pairs(-0.6))
    assert decision.verdict is GateVerdict.REJECT
    assert "worse" in decision.summary


def test_better_in_one_and_worse_in_another_is_held() -> None:
    decision = judge(pairs(0.6, wording=-0.6))
    assert decision.verdict is GateVerdict.HOLD
    assert "worse on 3" in decision.summary


def test_the_same_answers_twice_are_held() -> None:
    one = pairs(0.0)[0].candidate
    decision = judge([Pair(one, one)] * 20)
    assert decision.verdict is GateVerdict.HOLD
    assert all(measure.low == measure.high == 0 for measure in decision.measures)


def test_too_few_tickets_are_never_promoted() -> None:
    decision = judge(pairs(0.6, items=7))
    assert decision.verdict is GateVerdict.HOLD
    assert "only 7 held-out tickets" in decision.summary
    assert judge(pairs(0.6, items=1)).verdict is GateVerdict.HOLD
    assert judge([]).verdict is GateVerdict.HOLD


def test_a_gain_below_the_smallest_worth_it_is_held() -> None:
    assert judge(pairs(0.6), smallest_gain=2.0).verdict is GateVerdict.HOLD


def test_a_broken_candidate_is_rejected_and_a_broken_champion_is_left_out() -> None:
    made = pairs(0.6)
    broken = {**made[0].candidate, LIKELIHOOD: math.nan}
    decision = judge([*made[1:], Pair(broken, made[0].champion)])
    assert decision.verdict is GateVerdict.REJECT
    assert "1 of 40" in decision.summary
    usable = judge([*made[1:], Pair(made[0].candidate, broken)])
    assert usable.verdict is GateVerdict.PROMOTE
    assert all(math.isfinite(measure.high) for measure in usable.measures)


def test_a_hold_says_what_so_few_tickets_could_have_shown() -> None:
    few, many = judge(pairs(0.0, items=10)), judge(pairs(0.0, items=160))
    assert few.detectable is not None
    assert many.detectable is not None
    # Four times the error of the mean, give or take what ten differences tell of their spread.
    assert 3 < few.detectable / many.detectable < 6
    assert f"a gain of {few.detectable:.2f} nats per token or more shows itself 8 times in 10" in few.summary
    assert "shows itself" not in judge(pairs(0.6)).summary


def test_the_measures_that_object_share_the_level_between_them() -> None:
    measures = {measure.name: measure for measure in judge(pairs(0.0, items=200)).measures}
    likelihood, wording = measures[LIKELIHOOD], measures[CHRF]
    # Both differ by the same noise, once in nats and once in tens of points.
    assert (wording.high - wording.low) / 10 > 1.1 * (likelihood.high - likelihood.low)


def test_tickets_without_facts_do_not_count_for_facts() -> None:
    made = [
        Pair({name: value for name, value in pair.candidate.items() if name != FACTS}, pair.champion)
        for pair in pairs(0.6)
    ]
    decision = judge(made)
    assert FACTS not in {measure.name for measure in decision.measures}
    assert decision.verdict is GateVerdict.PROMOTE


def test_scores_of_a_perfect_and_of_a_wrong_answer() -> None:
    reference = "Dial 212 until 14:30."
    perfect, wrong = scores(reference, reference, -0.1), scores("I do not know, sorry.", reference, -4.0)
    assert (perfect[CHRF], perfect[ROUGE], perfect[FACTS]) == (pytest.approx(100), pytest.approx(100), 100.0)
    assert perfect[LENGTH] == 1.0
    assert wrong[FACTS] == 0.0
    assert wrong[CHRF] < 30
    assert scores("", reference, -4.0)[CHRF] == 0.0
    assert FACTS not in scores("Yes.", "Yes, of course.", -1.0)
