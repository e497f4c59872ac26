"""The full report of a night as one self-contained HTML page: the evidence behind the card, ticket by ticket.

Made from the store each time it is asked for, so that it never shows what was erased since. Nothing in it is fetched
from elsewhere and nothing runs, so it can be opened, sent and kept as a file.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlmodel import Session, col, select

from store import alerts, datasets, evaluations
from store.alerts import Alert
from store.errors import NotFound
from store.settings import Settings
from store.tables import Dataset, Evaluation, EvaluationItem, Night, Ticket, TrainingRun
from store.words import ItemKind
from trainer.scores import CHRF, FACTS, LIKELIHOOD, compare, right

TEMPLATE = "report_page.html.jinja"


@dataclass(frozen=True)
class Compared:
    """One question with the accepted answer and both versions' answers."""

    question: str
    item: EvaluationItem

    @property
    def gain(self) -> float:
        """By how much the candidate's answer is better; 0 when they are as good as equal."""
        return compare(self.item.candidate_scores, self.item.champion_scores)

    @property
    def change(self) -> str:
        """What the candidate did to this question, as a class of the page's style."""
        ours, theirs = right(self.item.candidate_scores), right(self.item.champion_scores)
        if ours != theirs:
            return "fixed" if ours else "broken"
        return "better" if self.gain > 0 else "worse" if self.gain < 0 else "same"


def page(session: Session, settings: Settings, night: Night) -> str:
    """The report of a night, as HTML.

    Raises:
        NotFound: the night has compared nothing.
    """
    night_id = night.id or 0
    compared = evaluations.of_night(session, night_id)
    if compared is None:
        told = f" {night.outcome}" if night.outcome else ""
        raise NotFound(f"The night {night.key} has compared no version, so there is nothing to report.{told}")
    items = _items(session, compared)
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            night=night,
            compared=compared,
            measures=compared.metrics.get("measures") or [],
            level=100 * settings.gate.confidence,
            alerts=_alerts(session, night_id),
            held_out=[one for one in items if one.item.kind is ItemKind.HELD_OUT],
            corrections=[one for one in items if one.item.kind is not ItemKind.HELD_OUT],
            chart=_picture(compared.chart),
            dataset=_facts_of_dataset(datasets.of_night(session, night_id)),
            training=_facts_of_training(datasets.training_of(session, night_id), compared),
        )
    )


@cache
def _environment() -> Environment:
    folder = FileSystemLoader(Path(__file__).parent)
    found = Environment(loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found.filters["signed"] = lambda value: f"{value:+.3g}"
    found.filters["short"] = lambda value: f"{value:.3g}"
    found.filters["scores"] = _scores
    return found


def _scores(found: dict[str, float]) -> str:
    parts = [f"likelihood {found[LIKELIHOOD]:.2f}", f"chrF {found[CHRF]:.0f}"]
    return " · ".join([*parts, f"facts {found[FACTS]:.0f} %"] if FACTS in found else parts)


def _items(session: Session, compared: Evaluation) -> list[Compared]:
    """Every question, what got worse first: that is what an admin has to weigh."""
    rows = session.exec(
        select(EvaluationItem, Ticket.question)
        .join(Ticket, col(EvaluationItem.ticket_id) == col(Ticket.id))
        .where(EvaluationItem.evaluation_id == compared.id)
    ).all()
    order = {"broken": 0, "worse": 1, "fixed": 2, "better": 3, "same": 4}
    found = [Compared(question, item) for item, question in rows]
    return sorted(found, key=lambda one: (order[one.change], one.gain, one.item.answer_id))


def _alerts(session: Session, night_id: int) -> Sequence[Alert]:
    return alerts.of_night(session, night_id)


def _picture(path: str) -> str:
    """A picture as an address that holds it; empty where the file is gone."""
    file = Path(path)
    if not path or not file.is_file():
        return ""
    return f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}"


def _facts_of_dataset(dataset: Dataset | None) -> list[tuple[str, Any]]:
    if dataset is None:
        return []
    manifest = dataset.manifest
    rows = [(f"{split} rows", count) for split, count in manifest.get("rows", {}).items()]
    rows += [(f"left out: {reason}", count) for reason, count in manifest.get("dropped", {}).items()]
    rows.append(("method", manifest.get("methods", {}).get("reason", "")))
    return [*rows, ("with personal data masked", manifest.get("masked", 0)), ("sha256", dataset.sha256)]


def _facts_of_training(run: TrainingRun | None, compared: Evaluation) -> list[tuple[str, Any]]:
    cost = compared.metrics.get("cost") or {}
    facts = [(name.replace("_", " "), value) for name, value in cost.items()]
    if run is None:
        return facts
    losses = [step["loss"] for step in run.metrics if "loss" in step]
    if losses:
        facts += [("steps", len(losses)), ("first loss", f"{losses[0]:.3f}"), ("last loss", f"{losses[-1]:.3f}")]
    facts += [("base model", run.base_model), ("base sha256", run.base_sha256), ("seed", run.seed)]
    return [*facts, *((f"{name}", version) for name, version in sorted(run.versions.items()))]
