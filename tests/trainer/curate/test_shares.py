"""How much of a night one party, or one topic, may take."""

from datetime import timedelta

import pytest

from store.settings import CurationSettings
from store.words import Split
from tests.trainer.curate.lessons import BEGAN, lesson
from trainer.curate.balance import balanced
from trainer.curate.caps import Backing, waves_of, within_shares
from trainer.curate.lesson import Reason, Tally
from trainer.curate.shares import Limit, allowances


@pytest.mark.parametrize("least", [1, 20])
def test_nobody_exceeds_the_share_of_what_is_learnt_in_the_end(least: int) -> None:
    counts = {"big": 5000, "middle": 300, **{f"small {number}": 10 for number in range(30)}}
    allowed = allowances(counts, 0, Limit(0.2, least))
    learnt = {party: min(count, allowed.get(party, count)) for party, count in counts.items()}
    assert max(learnt.values()) <= max(least, 0.2 * sum(learnt.values()))
    assert learnt["small 3"] == 10
    assert learnt["big"] + 1 > 0.2 * (sum(learnt.values()) + 1), "as much as the share allows"


@pytest.mark.parametrize(("counts", "limit"), [({}, 0.2), ({"one": 900}, 0.2), ({"one": 900, "two": 3}, 0.5)])
def test_one_or_two_parties_have_no_cap(counts: dict[str, int], limit: float) -> None:
    assert allowances(counts, 10, Limit(limit, 20)) == {}


def test_a_cap_leaves_the_oldest_and_what_two_reviewers_agree_on() -> None:
    lessons = [lesson(n, f"Question {n}?", reviewer="U0A" if n < 300 else f"U0{n % 5}") for n in range(400)]
    tally = Tally()
    kept = within_shares(lessons, Backing(seconded={299}), CurationSettings(), tally, BEGAN)
    theirs = [one.answer_id for one in kept if one.reviewer == "U0A"]
    assert theirs == [*range(len(theirs) - 1), 299]
    assert tally.dropped == {Reason.REVIEWER_SHARE: 400 - len(kept)}
    assert tally.doubtful == set(range(400)) - {one.answer_id for one in kept}


def test_what_is_only_measured_on_is_left_alone() -> None:
    lessons = [lesson(n, f"Question {n}?", asker="U0A", split=Split.HELD_OUT) for n in range(300)]
    lessons += [lesson(300 + n, f"Other {n}?", asker=f"U0{n}") for n in range(20)]
    assert within_shares(lessons, Backing(), CurationSettings(), Tally(), BEGAN) == lessons


def test_accounts_are_a_wave_only_while_they_are_new_and_many_within_an_hour() -> None:
    settings = CurationSettings()
    many = {f"U{n}": BEGAN + timedelta(minutes=2 * n) for n in range(20)}
    slow = {f"U{n}": BEGAN + timedelta(minutes=10 * n) for n in range(20)}
    soon, later = BEGAN + timedelta(days=1), BEGAN + timedelta(days=8)
    assert len(waves_of(many, settings, soon)) == 20
    assert len(set(waves_of(many, settings, soon).values())) == 1
    assert waves_of(many, settings, later) == {}
    assert waves_of(slow, settings, soon) == {}
    assert waves_of(many, CurationSettings(new_accounts=0), soon) == {}


def test_a_topic_of_ninety_percent_does_not_drown_the_others() -> None:
    lessons = [lesson(n, f"Password {n}?", corrected=n % 100 == 0) for n in range(900)]
    lessons += [lesson(900 + n, f"Topic {n}?") for n in range(100)]
    groups = {one.ticket_id: "password" if one.ticket_id < 900 else f"{one.ticket_id % 10}" for one in lessons}
    tally = Tally()
    kept = balanced(lessons, groups, CurationSettings(), tally)
    crowded = [one for one in kept if groups[one.ticket_id] == "password"]
    assert len(crowded) <= 0.2 * len(kept)
    assert tally.dropped == {Reason.TOPIC_SHARE: 1000 - len(kept)}
    assert sum(one.corrected for one in crowded) == 9, "corrections come first"
    assert 899 in {one.answer_id for one in crowded}, "then the newest"
    assert balanced(lessons, groups, CurationSettings(topic_share=1.0), Tally()) == lessons
