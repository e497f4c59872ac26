"""Reviewed answers as they are today, the splits that were decided, and the datasets frozen from them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlmodel import Session, col, insert, select, update

from store import verdicts
from store.tables import Answer, Dataset, DatasetRow, Message, Review, SplitGroup, Ticket, TrainingRun
from store.words import Split

ASKER = "asker:"
"""Begins the names of split groups that stand for a person."""


def asker_group(person_id: str) -> str:
    """The name under which the split of a person is kept; it does not tell who that is."""
    return ASKER + hashlib.sha256(person_id.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class ReviewedAnswer:
    """An answer with its ticket and the decision that counts; `contested` when reviewers disagree about it."""

    ticket: Ticket
    answer: Answer
    review: Review
    contested: bool = False


def reviewed_answers(session: Session) -> list[ReviewedAnswer]:
    """Every answer that a reviewer decided on, with the decision that counts, in the order of the answers."""
    rows = session.exec(
        select(Ticket, Answer, Review)
        .join(Answer, col(Answer.ticket_id) == col(Ticket.id))
        .join(Review, col(Review.answer_id) == col(Answer.id))
        .order_by(col(Answer.id), col(Review.id))
    )
    return [_reviewed(list(group)) for _, group in groupby(rows, key=lambda row: row[1].id)]


def _reviewed(rows: Sequence[tuple[Ticket, Answer, Review]]) -> ReviewedAnswer:
    ticket, answer, latest = rows[-1]
    counts = verdicts.final([review for _, _, review in rows])
    return ReviewedAnswer(ticket, answer, counts or latest, contested=counts is None)


def tickets_with(session: Session, people: Iterable[str]) -> set[int]:
    """The tickets that one of these people asked or wrote in."""
    wanted = list(people)
    if not wanted:
        return set()
    wrote = session.exec(select(Message.ticket_id).where(col(Message.person_id).in_(wanted)).distinct())
    asked = session.exec(select(Ticket.id).where(col(Ticket.asker_id).in_(wanted)))
    return {id_ for id_ in (*wrote, *asked) if id_ is not None}


def grouped_questions(session: Session) -> list[tuple[int, str, str]]:
    """Ticket, question and group of every ticket that has been put into a group of near-duplicates."""
    rows = session.exec(
        select(Ticket.id, Ticket.question, Ticket.split_group).where(Ticket.split_group != "").order_by(col(Ticket.id))
    )
    return [(id_, question, group) for id_, question, group in rows if id_ is not None]


def splits(session: Session) -> dict[str, Split]:
    """The split of every group that has one."""
    return {group.id: group.split for group in session.exec(select(SplitGroup))}


def put_into_groups(session: Session, groups: Mapping[int, str]) -> None:
    """Remember the group of tickets that had none."""
    if groups:
        parameters = [{"id": ticket_id, "split_group": group} for ticket_id, group in sorted(groups.items())]
        session.exec(update(Ticket), params=parameters)


def decide(session: Session, decisions: Mapping[str, Split]) -> None:
    """Remember the split of groups that had none; it is never changed again."""
    session.add_all(SplitGroup(id=group, split=split) for group, split in sorted(decisions.items()))


def of_night(session: Session, night_id: int) -> Dataset | None:
    """The dataset that a night froze."""
    return session.exec(select(Dataset).where(Dataset.night_id == night_id)).first()


def add(session: Session, dataset: Dataset, rows: Iterable[Mapping[str, Any]]) -> Dataset:
    """Store a frozen dataset; each of `rows` has `ticket_id`, `answer_id`, `review_id` and `split`."""
    session.add(dataset)
    session.flush()
    values = [{**row, "dataset_id": dataset.id} for row in rows]
    if values:
        session.exec(insert(DatasetRow), params=values)
    return dataset


def held_out_before(session: Session, dataset_id: int) -> set[int]:
    """The tickets that datasets before this one held out."""
    earlier = col(DatasetRow.dataset_id) < dataset_id
    return set(session.exec(select(DatasetRow.ticket_id).where(earlier, DatasetRow.split == Split.HELD_OUT).distinct()))


def training_of(session: Session, night_id: int) -> TrainingRun | None:
    """The training that a night began."""
    return session.exec(select(TrainingRun).where(TrainingRun.night_id == night_id)).first()


def learnt_by(session: Session, training_run_id: int) -> set[tuple[int, int]]:
    """What a training learnt, itself or by going on from another: each answer with the review that decided on it.

    What votes alone taught is not among it.
    """
    rows = session.exec(
        select(DatasetRow.answer_id, DatasetRow.review_id)
        .join(TrainingRun, col(TrainingRun.dataset_id) == col(DatasetRow.dataset_id))
        .where(TrainingRun.id == training_run_id, DatasetRow.split == Split.TRAIN)
    )
    return {(answer_id, review_id) for answer_id, review_id in rows if review_id is not None}


def last_trained(session: Session) -> tuple[Dataset, TrainingRun] | None:
    """The newest dataset that a training was finished on, with that training."""
    query = (
        select(Dataset, TrainingRun)
        .join(TrainingRun, col(TrainingRun.dataset_id) == col(Dataset.id))
        .where(col(TrainingRun.finished_at).is_not(None))
        .order_by(col(TrainingRun.id).desc())
    )
    return session.exec(query).first()
