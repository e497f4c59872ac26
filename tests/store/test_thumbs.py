"""Which votes stand alone, and how far each voter is trusted."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from store import thumbs
from store.session import Store
from store.tables import Answer, Vote, now
from store.words import Arm, DeliveryState, Verdict, VoteValue
from tests.trainer.tickets import add_reviewed, add_unreviewed, cast, review

ANA, BEN, RAVI = "U0ANA000001", "U0BEN000001", "U0RAVI00001"


def voted_and_reviewed(session: Session, person: str, value: VoteValue, verdict: Verdict) -> Answer:
    """A vote, and a reviewer's verdict an hour later."""
    answer = add_reviewed(session, "Where is it?", verdict=verdict, reviewed_at=now() + timedelta(hours=1))
    cast(session, answer, person, value)
    return answer


@pytest.mark.parametrize(("votes", "expected"), [
    # All right, on good and on bad answers.
    ({(VoteValue.UP, Verdict.ACCEPTED): 3, (VoteValue.DOWN, Verdict.REJECTED): 3}, 0.8),
    ({(VoteValue.DOWN, Verdict.CORRECTED): 3}, 0.65),
    # Whoever always presses the same thumb is a coin, however good most answers are.
    ({(VoteValue.UP, Verdict.ACCEPTED): 9, (VoteValue.UP, Verdict.REJECTED): 9}, 0.5),
    ({(VoteValue.UP, Verdict.REJECTED): 2, (VoteValue.DOWN, Verdict.ACCEPTED): 2}, 0.25),
])  # fmt: skip
def test_trust_is_how_often_votes_agreed_with_reviewers(
    store: Store, votes: dict[tuple[VoteValue, Verdict], int], expected: float
) -> None:
    with store.writing() as session:
        for (value, verdict), count in votes.items():
            for _ in range(count):
                voted_and_reviewed(session, ANA, value, verdict)
    with store.reading() as session:
        assert thumbs.trust(session) == {ANA: pytest.approx(expected)}


def test_what_could_be_copied_or_is_in_dispute_proves_nothing(store: Store) -> None:
    with store.writing() as session:
        late = add_reviewed(session, "Where is it?", reviewed_at=now() - timedelta(hours=1))
        cast(session, late, ANA, VoteValue.UP)
        own = add_reviewed(session, "Where is that?", reviewed_at=now() + timedelta(hours=1))
        cast(session, own, RAVI, VoteValue.UP)
        disputed = voted_and_reviewed(session, BEN, VoteValue.UP, Verdict.ACCEPTED)
        review(session, disputed, Verdict.REJECTED, reviewer="U0MEI000001", at=now() + timedelta(hours=2))
    with store.reading() as session:
        assert thumbs.trust(session) == {}


@pytest.mark.parametrize("changes", [
    {"state": DeliveryState.FAILED},
    {"state": DeliveryState.STOPPED},
    {"arm": Arm.TRIAL},
    {"approved_by": 1},
])  # fmt: skip
def test_only_whole_answers_of_the_model_that_nobody_decided_on_stand_alone(
    store: Store, changes: dict[str, Any]
) -> None:
    with store.writing() as session:
        alone = add_unreviewed(session, "May dogs come?", "Yes.")
        cast(session, alone, ANA, VoteValue.UP)
        cast(session, alone, BEN, VoteValue.DOWN)
        voted_and_reviewed(session, ANA, VoteValue.UP, Verdict.ACCEPTED)
        add_unreviewed(session, "Who votes on this?", "Nobody.")
        other = add_unreviewed(session, "May cats come?", "No.", **changes)
        cast(session, other, ANA, VoteValue.UP)
        expected = alone.id
    with store.reading() as session:
        (found,) = thumbs.lone(session)
        assert found.answer.id == expected
        assert [(vote.person_id, vote.value) for vote in found.votes] == [(ANA, VoteValue.UP), (BEN, VoteValue.DOWN)]
        assert found.ticket.question == "May dogs come?"
        assert isinstance(found.votes[0], Vote)
