"""One night as the store remembers it, as tables: its stages, its dataset, its training, its comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from store import alerts, datasets, evaluations, nights
from store.tables import Dataset, Evaluation, Night, TrainingRun
from store.words import Stage


@dataclass(frozen=True)
class Table:
    """A title, the columns' names, and the rows."""

    title: str
    columns: list[str]
    rows: Sequence[tuple[object, ...]]


def history(session: Session, night: Night) -> list[Table]:
    """What there is to tell about a night, in its order."""
    night_id = night.id or 0
    dataset, run = datasets.of_night(session, night_id), datasets.training_of(session, night_id)
    compared = evaluations.of_night(session, night_id)
    found = [_stages(session, night)]
    if raised := alerts.of_night(session, night_id):
        found.append(Table("Look at this", ["Alert", "People"], [(one.text, ", ".join(one.people)) for one in raised]))
    if dataset is not None:
        found.append(_dataset(dataset))
    if run is not None:
        trained = nights.stage(session, night_id, Stage.TRAIN)
        found.append(_training(run, trained.result if trained else {}))
    if compared is not None:
        reported = nights.stage(session, night_id, Stage.REPORT)
        found.append(_comparison(compared))
        if reported is not None and reported.result:
            found.append(Table("Files", ["", ""], sorted(reported.result.items())))
    return found


def _stages(session: Session, night: Night) -> Table:
    rows = [
        (row.stage, row.state, row.attempts, row.started_at, row.finished_at or "", row.error)
        for row in nights.stages(session, night.id or 0)
    ]
    title = f"Night {night.key}: {night.state}, asked for by {night.requested_by}. {night.outcome}"
    return Table(title.strip(), ["Stage", "State", "Attempts", "Began", "Ended", "Error"], rows)


def _dataset(dataset: Dataset) -> Table:
    manifest = dataset.manifest
    rows: list[tuple[object, ...]] = [(f"{split} rows", count) for split, count in manifest.get("rows", {}).items()]
    rows += [(f"left out: {reason}", count) for reason, count in manifest.get("dropped", {}).items()]
    rows += [
        (f"votes alone, left out: {reason}", count) for reason, count in manifest.get("dropped_thumbs", {}).items()
    ]
    rows += [("method", manifest.get("methods", {}).get("reason", ""))]
    rows += [("with personal data masked", manifest.get("masked", 0)), ("sha256", dataset.sha256)]
    return Table("Dataset", ["", ""], [*rows, ("file", dataset.path)])


def _training(run: TrainingRun, result: dict[str, Any]) -> Table:
    losses = [step["loss"] for step in run.metrics if "loss" in step]
    rows: list[tuple[object, ...]] = [(name, value) for name, value in sorted(run.parameters.items())]
    if losses:
        rows += [("steps", len(losses)), ("first loss", f"{losses[0]:.3f}"), ("last loss", f"{losses[-1]:.3f}")]
    if kept := result.get("kept"):
        rows.append(("step that was kept", f"{kept['step']} of {kept['steps']}"))
    if result.get("parts", 1) > 1:
        rows.append(("parts of a step, for want of memory", result["parts"]))
    if result.get("curves"):
        rows.append(("curves of loss and learning rate", result["curves"]))
    return Table(f"Training on {run.base_model}", ["", ""], [*rows, ("folder", run.folder)])


def _comparison(compared: Evaluation) -> Table:
    measures: list[dict[str, Any]] = compared.metrics.get("measures") or []
    rows = [
        (one["label"], *(f"{one[name]:.3f}" for name in ("candidate", "champion", "difference", "low", "high")))
        for one in measures
    ]
    title = f"{compared.candidate} against {compared.champion}: {compared.verdict}. {compared.summary}"
    return Table(title, ["Measure", compared.candidate, compared.champion, "Difference", "From", "To"], rows)
