"""What a night wants an admin to look at: kept with its first stage, shown on its card and by `night show`."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlmodel import Session, select

from store import nights
from store.tables import NightStage
from store.words import Stage

KEPT = 500
"""Of the answers that an alert is about so many are remembered."""


@dataclass(frozen=True)
class Alert:
    """A sentence, the people that it is about, and the answers."""

    text: str
    people: tuple[str, ...] = ()
    answers: tuple[int, ...] = ()


def note(session: Session, night_id: int, alerts: Sequence[Alert]) -> None:
    """Remember the alerts of a night in place of those of an earlier attempt."""
    kept = [asdict(alert) | {"answers": alert.answers[:KEPT]} for alert in alerts]
    nights.note(session, night_id, Stage.CURATE, {"alerts": kept})


def of_night(session: Session, night_id: int) -> list[Alert]:
    """The alerts of a night, in the order in which they were found."""
    stage = nights.stage(session, night_id, Stage.CURATE)
    return [_read(row) for row in stage.result.get("alerts", [])] if stage is not None else []


def forget(session: Session, person_id: str, answers: Collection[int]) -> None:
    """Take away the alerts that name a person, or that may quote one of these answers."""
    for stage in session.exec(select(NightStage).where(NightStage.stage == Stage.CURATE)):
        rows = stage.result.get("alerts", [])
        kept = [row for row in rows if person_id not in row["people"] and not set(answers).intersection(row["answers"])]
        if len(kept) < len(rows):
            stage.result = {**stage.result, "alerts": kept}
            session.add(stage)


def _read(row: dict[str, Any]) -> Alert:
    return Alert(str(row["text"]), tuple(row["people"]), tuple(row["answers"]))
