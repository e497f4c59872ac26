"""What a version has learnt: whether a correction, or a later word on the same question, was in its training set."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, or_, select

from store.near_questions import plain
from store.tables import BASE, Adapter, Dataset, DatasetRow, Review, Ticket, TrainingRun
from store.words import Split


@dataclass(frozen=True)
class _Lesson:
    """One row that a version was trained on."""

    question: str
    review_id: int
    correction: str
    decided_at: datetime


def has_learnt(session: Session, adapter: str, review: Review, ticket: Ticket) -> bool:
    """Whether a version was trained on what this review says about the question of its ticket.

    Of repetitions only one is learnt, so another review of the same question counts when it says the same or was
    given later. What a reviewer has changed since the training does not count.
    """
    question = plain(ticket.question)
    return any(
        plain(lesson.question) == question
        and (
            lesson.review_id == review.id
            or lesson.decided_at > review.updated_at
            or plain(lesson.correction) == plain(review.correction)
        )
        for lesson in _lessons(session, adapter, ticket)
    )


def _lessons(session: Session, adapter: str, ticket: Ticket) -> list[_Lesson]:
    """The rows about a ticket or its near-duplicates that a version was trained on."""
    if adapter == BASE:
        return []
    same = [DatasetRow.ticket_id == ticket.id]
    if ticket.split_group:
        same.append(Ticket.split_group == ticket.split_group)
    rows = session.exec(
        select(Ticket.question, Review.id, Review.correction, Review.updated_at)
        .join(DatasetRow, col(DatasetRow.ticket_id) == col(Ticket.id))
        .join(Review, col(Review.id) == col(DatasetRow.review_id))
        .join(Dataset, col(Dataset.id) == col(DatasetRow.dataset_id))
        .join(TrainingRun, col(TrainingRun.dataset_id) == col(Dataset.id))
        .join(Adapter, col(Adapter.training_run_id) == col(TrainingRun.id))
        .where(
            Adapter.name == adapter,
            DatasetRow.split == Split.TRAIN,
            col(Review.updated_at) <= col(Dataset.created_at),
            or_(*same),
        )
    )
    return [_Lesson(question, id_ or 0, correction, decided_at) for question, id_, correction, decided_at in rows]
