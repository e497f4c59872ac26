"""A finished night in the store, as the trainer leaves it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlmodel import Session

from store import adapters, alerts, nights, outbox
from store.alerts import Alert
from store.session import Store
from store.tables import Answer, Evaluation, EvaluationItem, Night, Ticket
from store.words import GateVerdict, NightState, Stage, Surface, Visibility

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def measure(name: str, better: bool | None = True) -> dict[str, Any]:
    return {
        "name": name, "label": f"Measure {name}", "unit": "", "candidate": 0.5, "champion": 0.25,
        "difference": 0.25, "low": 0.1, "high": 0.4, "better": better,
    }  # fmt: skip


def raise_alerts(session: Session, night_id: int, raised: Sequence[Alert]) -> None:
    """What the curation of a night found."""
    nights.begin_stage(session, night_id, Stage.CURATE)
    session.flush()
    alerts.note(session, night_id, raised)


def finished_night(
    store: Store,
    chart: Path,
    version: int = 1,
    *,
    measures: int = 3,
    verdict: GateVerdict = GateVerdict.PROMOTE,
    raised: Sequence[Alert] = (),
) -> int:
    """A night that made version `version`, with its evaluation, chart and owed card; the night's number."""
    chart.write_bytes(PNG)
    name, key = f"v{version}", f"2026-11-{version:02d}"
    with store.writing() as session:
        adapters.register(
            session, version=version, name=name, path=f"/adapters/{name}", sha256=name, base_model="b",
            base_sha256="b", rank=4,
        )  # fmt: skip
        night = Night(key=key, state=NightState.DONE, outcome="It is better.")
        ticket = Ticket(
            team_id="T", channel_id="C", thread_ts=key, asker_id="U1", surface=Surface.IMPORT,
            visibility=Visibility.PUBLIC, question="Where is <!channel> *the* printer?",
        )  # fmt: skip
        session.add_all([night, ticket])
        session.flush()
        answer = Answer(ticket_id=ticket.id or 0, event_id=key, question_ts=key)
        evaluation = Evaluation(
            night_id=night.id or 0, candidate=name, champion="base", verdict=verdict,
            summary="It is better by 0.25.", chart=str(chart),
        )  # fmt: skip
        session.add_all([answer, evaluation])
        session.flush()
        item = EvaluationItem(
            evaluation_id=evaluation.id or 0, ticket_id=ticket.id or 0, answer_id=answer.id or 0,
            reference="Second floor.", candidate_text="Second floor.", champion_text="<@U1> no " * 300,
        )  # fmt: skip
        session.add(item)
        session.flush()
        evaluation.metrics = {
            "items": 12,
            "measures": [measure(str(number), [True, False, None][number % 3]) for number in range(measures)],
            "examples": {"better": [item.id], "worse": [item.id], "broken": [item.id]},
            "cost": {"train_seconds": 60, "evaluate_seconds": 200, "train_rows": 40, "methods": "SFT alone"},
        }
        raise_alerts(session, night.id or 0, raised)
        nights.begin_stage(session, night.id or 0, Stage.TRAIN)
        session.flush()
        nights.note(session, night.id or 0, Stage.TRAIN, {"curves": str(chart)})
        outbox.owe(session, f"night-{night.id}", "morning_card", {"night_id": night.id})
        return night.id or 0
