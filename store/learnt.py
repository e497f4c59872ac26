"""What a version has learnt: whether a correction, or a later word on the same question, was in its training set."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlmodel import Session, col, or_, select

from store import near_groups
from store.near_questions import plain
from store.tables import BASE, Adapter, Answer, Dataset, DatasetRow, Review, Ticket, TrainingRun
from store.words import Split


@dataclass(frozen=True)
class _Lesson:
    """What a reviewer said about a question that a version was trained on."""

    review_id: int
    correction: str
    decided_at: datetime


class Lessons:
    """The decisions that a version was trained on, by their question."""

    def __init__(self) -> None:
        """None; `of` reads those of a version."""
        self._by_question: dict[str, list[_Lesson]] = defaultdict(list)

    @classmethod
    def of(cls, session: Session, adapter: str, answer: Answer | None = None) -> Self:
        """The lessons of a version, all or those about an answer and its near-duplicates alone.

        What a reviewer has changed since the training is not among them.
        """
        lessons = cls()
        if adapter == BASE:
            return lessons
        rows = (
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
            )
        )
        if answer is not None:
            near = col(DatasetRow.answer_id).in_(select(Answer.id).where(near_groups.same_group(answer)))
            rows = rows.where(or_(DatasetRow.answer_id == answer.id, near))
        for question, review_id, correction, decided_at in session.exec(rows):
            lessons._by_question[plain(question)].append(_Lesson(review_id or 0, plain(correction), decided_at))
        return lessons

    def hold(self, review: Review, ticket: Ticket) -> bool:
        """Whether the version was trained on what this review says about the question of its ticket.

        Of repetitions only one is learnt, so another review of the same question counts when it says the same or was
        given later.
        """
        return any(
            lesson.review_id == review.id
            or lesson.decided_at > review.updated_at
            or lesson.correction == plain(review.correction)
            for lesson in self._by_question.get(plain(ticket.question), [])
        )
