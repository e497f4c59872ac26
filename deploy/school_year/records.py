"""What a school year has come to, a file for each night: written whole, so that a year that was killed goes on."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel

from store import artifacts
from store.errors import BadInput
from trainer.scores import CHRF, right

NIGHTSCHOOL, BASE_MODEL, RETRIEVAL, COPIED = "nightschool", "base", "retrieval", "copied"

LABELS = {
    NIGHTSCHOOL: "Nightschool, as it stood that morning",
    RETRIEVAL: "base model with retrieval",
    COPIED: "closest past answer, copied",
    BASE_MODEL: "base model alone",
}
"""What answers each question, in the order of the tables."""


class Said(BaseModel):
    """An answer, by which version, and its scores against the right one."""

    text: str
    by: str
    scores: dict[str, float]

    @property
    def right(self) -> bool:
        """Whether it states every exact fact of the right answer, or where there are none, much of its wording."""
        return right(self.scores)


class Question(BaseModel):
    """A ticket of the year: the thread it was asked in, and what each said before anyone reviewed it."""

    id: str
    question: str
    answer: str
    thread: str = ""
    said: dict[str, Said] = {}


class NightRecord(BaseModel):
    """One day and its night; a step that is over has left its mark."""

    number: int
    label: str
    questions: list[Question]
    reviewed: bool = False
    night_before: int | None = None
    """The number of the newest night in the store before this one began."""
    finished: bool = False
    outcome: str = ""
    verdict: str = ""
    train_rows: int = 0
    held_out_rows: int = 0
    version: str = ""
    production: str = ""
    """What answers from the next morning on."""
    seconds: float = 0.0

    def share_right(self, who: str) -> float:
        """The share of the day's questions that were answered right, in per cent."""
        return 100 * sum(one.said[who].right for one in self.questions) / len(self.questions)

    def closeness(self, who: str) -> float:
        """The mean closeness of wording (chrF) of the day's answers."""
        return sum(one.said[who].scores[CHRF] for one in self.questions) / len(self.questions)


class Plan(BaseModel):
    """What a year is made of; a year that goes on must be the same one."""

    file_sha256: str
    mapping: dict[str, str]
    tickets_per_night: int
    promote_all: bool
    documents: str
    base_model: str


def finite(scores: Mapping[str, float]) -> dict[str, float]:
    """The scores that JSON can hold."""
    return {name: value for name, value in scores.items() if math.isfinite(value)}


class Records:
    """The records of a year in a folder."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        """Go on with the year in this folder, or begin one.

        Raises:
            BadInput: another year is there.
        """
        self._folder = folder
        path = folder / "plan.json"
        if path.exists() and (there := Plan.model_validate_json(path.read_text())) != plan:
            changed = [name for name in Plan.model_fields if getattr(there, name) != getattr(plan, name)]
            raise BadInput(
                f"In {folder.parent.parent} is a school year that differs in {', '.join(changed)}. Name another folder "
                "with --out, or remove that one to begin anew."
            )
        artifacts.write_json(path, plan.model_dump(mode="json"))

    def get(self, number: int) -> NightRecord | None:
        """The record of a night; None when it has not begun."""
        path = self._path(number)
        return NightRecord.model_validate_json(path.read_text()) if path.exists() else None

    def put(self, record: NightRecord) -> None:
        """Keep a record."""
        artifacts.write_json(self._path(record.number), record.model_dump(mode="json"))

    def finished(self) -> Sequence[NightRecord]:
        """The nights that are over, in their order."""
        found = [NightRecord.model_validate_json(path.read_text()) for path in self._folder.glob("night-*.json")]
        return sorted((record for record in found if record.finished), key=lambda record: record.number)

    def _path(self, number: int) -> Path:
        return self._folder / f"night-{number:03}.json"
