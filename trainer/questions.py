"""What candidate and champion are asked: tickets that neither learnt from, and what reviewers have put right."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy import String, cast
from sqlmodel import Session, select

from store import datasets
from store.tables import Review
from store.words import Split
from trainer.asking import Question, Taught
from trainer.work import Work

Row = dict[str, Any]


@dataclass(frozen=True)
class Questions:
    """Every question of an evaluation."""

    held_out: list[Question]
    corrections: list[Question]
    """Corrections that are not among the held-out ones."""
    corrected: frozenset[int]
    """Of either kind: the answers (by id) that reviewers corrected, and those that must stay right."""
    must: frozenset[int]
    """Of those: what must stay right."""
    earlier: frozenset[int]
    """The tickets that earlier nights held out as well."""

    @property
    def all(self) -> list[Question]:
        """In the order in which they are asked."""
        return [*self.held_out, *self.corrections]


def of_night(work: Work) -> Questions:
    """The questions of a night, chosen by its seed.

    Raises:
        LookupError: the night has no dataset.
    """
    with work.store.reading() as session:
        dataset = datasets.of_night(session, work.night_id)
        if dataset is None or dataset.id is None:
            raise LookupError(f"the night {work.night.key} has no dataset")
        earlier = datasets.held_out_before(session, dataset.id)
        must = _must(session, work.settings.gate.must_tag)
    rows = pq.read_table(dataset.path).to_pylist()
    held_out = _sample([row for row in rows if row["split"] == Split.HELD_OUT], work)
    kept = {row["answer_id"] for row in rows if row["corrected"] or row["review_id"] in must}
    must_stay = {row["answer_id"] for row in rows if row["review_id"] in must}
    asked = {row["answer_id"] for row in held_out}
    again = _newest([row for row in rows if row["answer_id"] in kept - asked], must_stay, work)
    return Questions(
        [_question(row) for row in held_out],
        [_question(row) for row in again],
        frozenset(kept),
        frozenset(must_stay),
        frozenset(earlier),
    )


def lessons_of(work: Work) -> list[Taught]:
    """What a night's version was shown.

    Raises:
        LookupError: the night has no dataset.
    """
    with work.store.reading() as session:
        dataset = datasets.of_night(session, work.night_id)
    if dataset is None:
        raise LookupError(f"the night {work.night.key} has no dataset")
    rows = pq.read_table(dataset.path, columns=["prompt", "completion", "split"]).to_pylist()
    return [Taught(row["prompt"], row["completion"]) for row in rows if row["split"] == Split.TRAIN]


def _must(session: Session, tag: str) -> set[int]:
    # JSON cannot be searched alike on both databases; few reviews carry any tag.
    tagged = session.exec(select(Review.id, Review.tags).where(cast(Review.tags, String) != "[]")).all()
    return {review_id for review_id, tags in tagged if review_id is not None and tag in tags}


def _sample(held_out: Sequence[Row], work: Work) -> list[Row]:
    most = work.settings.night.max_held_out
    chosen = random.Random(work.settings.training.seed).sample(held_out, min(len(held_out), most))
    return sorted(chosen, key=lambda row: int(row["answer_id"]))


def _newest(rows: Sequence[Row], must: set[int], work: Work) -> list[Row]:
    """The newest corrections up to the limit, and all that must stay right."""
    by_age = sorted(rows, key=lambda row: int(row["review_id"]), reverse=True)
    newest = {row["answer_id"] for row in by_age[: work.settings.gate.most_corrections]}
    return [row for row in reversed(by_age) if row["answer_id"] in newest | must]


def _question(row: Row) -> Question:
    return Question(row["ticket_id"], row["answer_id"], row["prompt"], row["completion"])
