"""The test that may be read at any time, and what is said and done about it."""

import numpy as np
import pytest
from scipy.stats import binomtest

from serving.canary import NOTICE, Standing, judge, watch
from serving.sequential import evidence_of_less, evidence_of_more
from store import canaries, outbox
from store.canaries import Part
from store.canary_tally import Gone, Tally
from store.session import Store
from store.settings import CanarySettings
from store.tables import Canary
from store.words import CanaryOutcome, VoteValue
from tests.store.test_adapters import register
from tests.trainer.tickets import add_unreviewed, cast

SETTINGS = CanarySettings()
LEVEL, SHARE = 0.05, 0.25


def crossed(random: np.random.Generator, share: float, events: int) -> tuple[bool, bool]:
    """Whether the evidence ever says worse in so many events, and whether a test for one look does, read as often."""
    ours = np.cumsum(random.random(events) < share)
    looks = range(5, events)
    sequential = any(evidence_of_more(int(ours[look]), look + 1, SHARE) >= 1 / LEVEL for look in looks)
    fixed = any(binomtest(int(ours[look]), look + 1, SHARE, alternative="greater").pvalue < LEVEL for look in looks)
    return sequential, fixed


def test_however_often_it_is_read_false_alarms_stay_below_the_level() -> None:
    found = [crossed(np.random.default_rng(seed), SHARE, 100) for seed in range(150)]
    sequential, fixed = np.mean(found, axis=0)
    assert sequential <= LEVEL
    # The control: what is made for one look cries wolf when it is read after every event.
    assert fixed > 2 * LEVEL


def test_a_doubled_share_is_found() -> None:
    found = [crossed(np.random.default_rng(seed), 2 * SHARE, 100)[0] for seed in range(30)]
    assert np.mean(found) > 0.9


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_nothing_is_no_evidence_and_more_is_more(share: float) -> None:
    assert evidence_of_more(0, 0, share) == pytest.approx(1.0)
    assert evidence_of_more(20, 20, share) > evidence_of_more(10, 20, share) > evidence_of_more(0, 20, share)
    assert evidence_of_less(0, 20, share) > evidence_of_less(20, 20, share)
    assert np.isfinite(evidence_of_more(100_000, 100_000, share))


@pytest.mark.parametrize(("ours", "both", "share"), [(2, 1, 0.5), (-1, 1, 0.5), (0, 1, 0.0), (0, 1, 1.0)])
def test_what_cannot_be_is_refused(ours: int, both: int, share: float) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        evidence_of_more(ours, both, share)


@pytest.mark.parametrize(
    ("canary", "champion", "standing", "words"),
    [
        (Gone(20, 3, 0), Gone(80, 12, 0), Standing.UNDECIDED, "3 of 20 threads (15 %) went wrong"),
        (Gone(40, 30, 0), Gone(160, 20, 0), Standing.WORSE, "worse by more than chance"),
        (Gone(100, 1, 0), Gone(100, 40, 0), Standing.BETTER, "better by more than chance"),
        (Gone(8, 0, 6), Gone(80, 0, 0), Standing.FAILS, "failed in 6 of 8 threads"),
        (Gone(), Gone(), Standing.UNDECIDED, "0 of 0 threads went wrong"),
    ],
)
def test_it_says_how_a_canary_stands(canary: Gone, champion: Gone, standing: Standing, words: str) -> None:
    judged = judge(Tally(canary, champion, share=0.2), SETTINGS)
    assert judged.standing == standing
    assert words in judged.words
    assert judged.must_end == (standing in (Standing.WORSE, Standing.FAILS))


def test_one_that_does_worse_is_rolled_back_once_and_the_admins_are_told(store: Store) -> None:
    register(store, 1)
    with store.writing() as session:
        assert watch(session, SETTINGS) is None
        begun = canaries.start(session, "v1", Part(0.2), "U0MEI000001").id
    for number in range(60):
        with store.writing() as session:
            answer = add_unreviewed(session, f"question {number}", "An answer.", adapter="v1", arm="canary")
            assert watch(session, SETTINGS) is None or number > 2
            cast(session, answer, "U0ANA000001", VoteValue.DOWN)
            ended = watch(session, SETTINGS)
        if ended is not None:
            break
    assert ended is not None
    assert ended.id == begun
    with store.writing() as session:
        assert watch(session, SETTINGS) is None
        row = session.get_one(Canary, begun)
        assert row.outcome == CanaryOutcome.ROLLED_BACK
        assert "worse by more than chance" in row.reason
        assert [message.kind for message in outbox.waiting(session, 10)] == [NOTICE]
