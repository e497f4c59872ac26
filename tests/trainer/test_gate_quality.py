"""How good the gate itself is: a thousand simulated nights each way, drawn from the scores of real ones."""

import numpy as np
import pytest

from bench.gate import GATE, TICKETS, VERSIONS, claimed, draw, judged, share
from store.words import GateVerdict
from trainer.regressions import Correction, after_regressions, count

NIGHTS = 1000
RIGHT, WRONG = {"facts": 100.0}, {"facts": 0.0}


def test_an_equal_candidate_is_recommended_at_most_one_night_in_twenty() -> None:
    each = NIGHTS // (len(VERSIONS) * len(TICKETS)) + 1
    found = [share(judged(draw(versions, count, 0.0, each))) for versions in VERSIONS for count in TICKETS]
    assert np.mean(found) <= 0.05
    # At 84 nights a true share of 5 % shows as 12 % or more in less than 1 of 100.
    assert max(found) <= 0.12


@pytest.mark.parametrize("versions", VERSIONS, ids=" against ".join)
def test_a_better_candidate_is_recommended_as_often_as_the_card_says(versions: tuple[str, str]) -> None:
    each = NIGHTS // len(TICKETS)
    found = [share(judged(draw(versions, count, claimed(versions, count), each))) for count in TICKETS]
    assert np.mean(found) >= GATE.power - 0.1
    assert min(found) >= GATE.power - 0.25, "real differences have heavier tails than the formula thinks"
    assert share(judged(draw(versions, 20, 2 * claimed(versions, 20), 100))) >= 0.9


def test_what_breaks_an_answer_that_must_stay_right_never_passes() -> None:
    random = np.random.default_rng(4)
    better = judged(draw(("v13", "v14"), 20, 5.0, NIGHTS))
    assert share(better) > 0.9
    for decision in better:
        fixed = [Correction(place, True, RIGHT, WRONG) for place in range(random.integers(0, 30))]
        found = count([*fixed, Correction(99, True, WRONG, RIGHT)])
        assert after_regressions(decision, found, "v1", GATE).verdict is GateVerdict.REJECT
