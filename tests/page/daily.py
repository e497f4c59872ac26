"""A day of Lanternmoor, the sample company, for the page: what the model says, and the night that has just ended."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session

from store import adapters, outbox
from store.session import Store
from store.tables import Answer, Evaluation, EvaluationItem, Night, Ticket
from store.words import Arm, GateVerdict, NightState, Surface, Visibility
from trainer import chart
from trainer.scores import MEASURES

Json = dict[str, Any]
COMPANY = Path(__file__).parents[2] / "deploy" / "sample_company"
TICKETS: list[Json] = [json.loads(line) for line in (COMPANY / "tickets.jsonl").read_text().splitlines()]
KNOWN = {ticket["question"]: ticket["answer"] for ticket in TICKETS}
STORY = json.loads((COMPANY / "story.json").read_text())

TABLE_QUESTION = "Which delivery should I offer, and what does each cost?"
TABLE = """It depends on how soon they need it:

| Delivery | Arrives | Costs |
|---|---|--:|
| Standard | in 3 working days | 6.40 dollars, free from 85 |
| Comet Express | by noon the next working day | 19 dollars |

Add Express to an open order with its line code:

```
CX-19
```"""
DOG_QUESTION = STORY["ask_before"][0]
NO_IDEA = "The refund comes after some days. Please ask your bank."
MADE_UP = "Yes, dogs are welcome everywhere on the hill. Next step: tell the customer to bring some water."
FIGURES = {
    "likelihood": (-1.32, -2.49, 0.84, 1.5, True),
    "facts": (68.0, 21.0, 35.0, 59.0, True),
    "chrf": (57.0, 33.0, 18.0, 30.0, True),
    "rouge_l": (52.0, 49.0, -4.0, 10.0, None),
}
"""An example: candidate, champion, the interval of the difference, and whether it is better."""


@dataclass(frozen=True)
class Example:
    """A held-out ticket and what two versions answered to it."""

    ticket: Json
    candidate: str
    champion: str


def reply(body: Json) -> str:
    """What the scripted model answers to a question of the day."""
    question = str(body["messages"][-1]["content"])
    if question == TABLE_QUESTION:
        return TABLE
    return str(KNOWN.get(question, MADE_UP))


def night(store: Store, folder: Path, count: int = 24) -> None:
    """A finished night that made v1 out of the sample company's tickets, with chart, card and examples."""
    with store.writing() as session:
        adapters.register(
            session, version=1, name="v1", path="/adapters/v1", sha256="v1", base_model="smollm2-135m-instruct",
            base_sha256="b", rank=16,
        )  # fmt: skip
        held = Night(key="2026-11-24", state=NightState.DONE, outcome="v1 is better than the base model: promote it.")
        session.add(held)
        session.flush()
        evaluation = _evaluation(held.id or 0, count)
        evaluation.chart = str(folder / "chart.png")
        session.add(evaluation)
        session.flush()
        better = Example(TICKETS[0], TICKETS[0]["answer"], "You can usually send things back within 14 days.")
        worse = Example(TICKETS[1], "Refunds land on the original card 9 working days after the scan.", NO_IDEA)
        items = [_item(session, evaluation.id or 0, example) for example in (better, worse)]
        evaluation.metrics = {**evaluation.metrics, "examples": {"better": [items[0]], "worse": [items[1]]}}
        chart.draw(evaluation, Path(evaluation.chart))
        outbox.owe(session, f"night-{held.id}", "morning_card", {"night_id": held.id})


def _evaluation(night_id: int, count: int) -> Evaluation:
    measures = [
        {
            "name": measure.name, "label": measure.label, "unit": measure.unit, "candidate": after,
            "champion": before, "difference": after - before, "low": low, "high": high, "better": better,
        }
        for measure in MEASURES
        if measure.name in FIGURES
        for after, before, low, high, better in [FIGURES[measure.name]]
    ]  # fmt: skip
    cost = {"train_seconds": 96, "evaluate_seconds": 150, "train_rows": 188, "held_out_rows": count}
    return Evaluation(
        night_id=night_id, candidate="v1", champion="base", verdict=GateVerdict.PROMOTE,
        summary="v1 fits what reviewers wrote clearly better than the base model does.",
        metrics={"items": count, "measures": measures, "cost": cost},
    )  # fmt: skip


def _item(session: Session, evaluation_id: int, example: Example) -> int:
    ticket = example.ticket
    asked = Ticket(
        team_id="T", channel_id="C", thread_ts=ticket["id"], asker_id="U1", surface=Surface.IMPORT,
        visibility=Visibility.PUBLIC, question=ticket["question"],
    )  # fmt: skip
    session.add(asked)
    session.flush()
    answer = Answer(ticket_id=asked.id or 0, event_id=ticket["id"], question_ts=ticket["id"], arm=Arm.HUMAN)
    session.add(answer)
    session.flush()
    item = EvaluationItem(
        evaluation_id=evaluation_id, ticket_id=asked.id or 0, answer_id=answer.id or 0, reference=ticket["answer"],
        candidate_text=example.candidate, champion_text=example.champion,
    )  # fmt: skip
    session.add(item)
    session.flush()
    return item.id or 0
