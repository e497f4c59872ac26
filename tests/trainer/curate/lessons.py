"""Lessons for the tests of single steps, and the public tickets that they are tried on."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import SHARED_DATA
from trainer.curate.lesson import Lesson

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def lesson(number: int, question: str, answer: str = "Ask the desk.", **known: Any) -> Lesson:
    """One lesson, decided an hour after the one before, so that nothing looks like a burst."""
    known = {"corrected": False, "decided_at": BEGAN + timedelta(hours=number)} | known
    return Lesson(
        ticket_id=number,
        answer_id=number,
        review_id=number,
        prompt=[{"role": "user", "content": question}],
        completion=answer,
        opening=question,
        **known,
    )


def rows(name: str) -> Iterator[dict[str, Any]]:
    """The lines of a file of the public data; without it the test is skipped."""
    if not SHARED_DATA.exists():
        pytest.skip(f"the public support data is not at {SHARED_DATA}")
    with (SHARED_DATA / name).open() as file:
        yield from map(json.loads, file)


def shop(answer: str = "policy_answer") -> list[Lesson]:
    """The tickets of the sample company, with the same answer for each intent or one in its own words for each."""
    return [lesson(number, row["question"], row[answer]) for number, row in enumerate(rows("shop_support/train.jsonl"))]


def firefox() -> list[Lesson]:
    """Real questions to Firefox support with the best reply."""
    found = [row for row in rows("firefox_support/tickets.jsonl") if row["best_answer"]]
    return [lesson(n, f"{row['subject']}\n{row['body']}", row["best_answer"]) for n, row in enumerate(found)]
