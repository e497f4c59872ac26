"""Lone thumbs: votes on answers that no reviewer decided on, and how far each voter can be trusted.

A person's trust is how often their votes agreed with reviewers: the mean of two shares, one over the answers that
reviewers accepted and one over those that they did not (balanced accuracy: Brodersen et al. 2010, “The balanced
accuracy and its posterior distribution”). So who always presses the same thumb is trusted no more than a coin. Each
share begins at a half, as if one vote had agreed and one had not; who was never checked stays there.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlmodel import Session, col, exists, select

from store import verdicts
from store.tables import Answer, Review, Ticket, Vote
from store.words import Arm, DeliveryState, Verdict, VoteValue

STRANGER = 0.5
"""The trust in somebody whose votes could not be compared with any reviewer's verdict: that in a coin."""


@dataclass(frozen=True)
class VotedAnswer:
    """An answer that people voted on and no reviewer decided on, with its ticket."""

    ticket: Ticket
    answer: Answer
    votes: Sequence[Vote]


def lone(session: Session) -> list[VotedAnswer]:
    """The voted answers that wait for a reviewer, in their order: whole ones, in the model's own words."""
    reviewed = exists().where(col(Review.answer_id) == col(Answer.id))
    rows = session.exec(
        select(Ticket, Answer, Vote)
        .join(Answer, col(Answer.ticket_id) == col(Ticket.id))
        .join(Vote, col(Vote.answer_id) == col(Answer.id))
        .where(
            Answer.state == DeliveryState.DELIVERED,
            col(Answer.arm).in_([Arm.CHAMPION, Arm.CANARY]),
            # A reviewer's correction, given as it stands: a thumb says nothing about the model there.
            col(Answer.approved_by).is_(None),
            ~reviewed,
        )
        .order_by(col(Answer.id), col(Vote.id))
    )
    return [_voted(list(group)) for _, group in groupby(rows, key=lambda row: row[1].id)]


def _voted(rows: Sequence[tuple[Ticket, Answer, Vote]]) -> VotedAnswer:
    ticket, answer, _ = rows[0]
    return VotedAnswer(ticket, answer, [vote for _, _, vote in rows])


def trust(session: Session) -> dict[str, float]:
    """The trust in everybody whose votes can be compared with verdicts, from 0 (always wrong) to 1; see above."""
    rows = session.exec(
        select(Vote, Review)
        .join(Review, col(Review.answer_id) == col(Vote.answer_id))
        .order_by(col(Vote.id), col(Review.id))
    )
    checked: Counter[tuple[str, bool]] = Counter()
    agreed: Counter[tuple[str, bool]] = Counter()
    people: set[str] = set()
    for vote, reviews in _by_vote(rows):
        if (good := _judged_good(vote, reviews)) is not None:
            people.add(vote.person_id)
            checked[vote.person_id, good] += 1
            agreed[vote.person_id, good] += (vote.value is VoteValue.UP) == good
    return {
        person: sum((agreed[person, good] + 1) / (checked[person, good] + 2) for good in (True, False)) / 2
        for person in people
    }


def _by_vote(rows: Iterable[tuple[Vote, Review]]) -> Iterable[tuple[Vote, list[Review]]]:
    for _, group in groupby(rows, key=lambda row: row[0].id):
        pairs = list(group)
        yield pairs[0][0], [review for _, review in pairs]


def _judged_good(vote: Vote, reviews: Sequence[Review]) -> bool | None:
    """Whether reviewers accepted the answer; None where that does not test this vote."""
    decided = verdicts.final(reviews)
    own = any(review.reviewer_id == vote.person_id for review in reviews)
    # A vote that came after the verdict could have been copied from it.
    copied = vote.updated_at >= min(review.created_at for review in reviews)
    return None if decided is None or own or copied else decided.verdict is Verdict.ACCEPTED
