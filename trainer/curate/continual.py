"""Where a night's training starts: from the base model on everything, or onward from the version in production.

From the base model nothing is forgotten, since everything is learnt again; it takes longer with every week. Onward, a
version learns what is new together with a share of what it knew, drawn anew each night, at a lower learning rate:
replay and a rate that is raised and let fall again keep most of what a new training from the start would give (Ibrahim
et al. 2024, “Simple and Scalable Strategies to Continually Pre-train Large Language Models”).
"""

import hashlib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from serving.base_model import BaseModel
from store import adapters, datasets, erasure
from store.errors import NotFound
from store.settings import Settings, TrainingSettings
from store.tables import BASE, Adapter, TrainingRun
from store.words import Split
from trainer.curate.freeze import Row
from trainer.train import SFT

Learnt = tuple[int, int]
"""An answer and the review that decided on it: what a version was taught."""


@dataclass(frozen=True)
class Start:
    """Which version tonight's training goes on from (`base` for none), what that one knows, and why so."""

    parent: str
    reason: str
    known: frozenset[Learnt] = frozenset()


def choose_start(session: Session, settings: Settings, base: BaseModel, rows: Sequence[Row]) -> Start:
    """Decide where to start: from the base model while that fits the night, else onward where a version allows it."""
    training = settings.training
    if training.start == "base":
        return Start(BASE, "from the base model on everything")
    minutes = expected_minutes(session, rows, training)
    if training.start == "auto" and minutes is None:
        return Start(BASE, "from the base model on everything")
    if training.start == "auto" and minutes is not None and minutes <= training.max_minutes:
        return Start(BASE, f"from the base model on everything, which takes about {minutes:.0f} minutes")
    wish = "as the settings say" if minutes is None else f"since everything would take about {minutes:.0f} minutes"
    production = adapters.production(session)
    if obstacle := _obstacle(session, settings, base, production):
        return Start(BASE, f"from the base model on everything, because {obstacle}")
    adapter = adapters.get(session, production)
    known = frozenset(datasets.learnt_by(session, adapter.training_run_id or 0))
    return Start(production, f"onward from {production}, {wish}", known)


def expected_minutes(session: Session, rows: Sequence[Row], training: TrainingSettings) -> float | None:
    """How long training on everything would take at the speed of the last training; None before the first one."""
    last = datasets.last_trained(session)
    if last is None or (step_s := _seconds_a_step(last[1])) is None:
        return None
    shown = sum(row["weight"] for row in rows if row["split"] == Split.TRAIN)
    return math.ceil(shown / training.batch_size) * training.epochs * step_s / 60


def _seconds_a_step(run: TrainingRun) -> float | None:
    # A stage that follows counts its own steps.
    lines = [line for line in run.metrics if line.get("method", SFT) == SFT]
    steps = [line for line in lines if line.get("step") and line.get("seconds")]
    return float(steps[-1]["seconds"]) / int(steps[-1]["step"]) if steps else None


def _obstacle(session: Session, settings: Settings, base: BaseModel, production: str) -> str:
    """Why a version cannot be gone on with, as the end of a sentence; empty when it can."""
    if production == BASE:
        return "no version is in production yet"
    try:
        adapter: Adapter = adapters.get(session, production)
    except NotFound:
        return f"{production} is not known here"
    if adapter.base_sha256 != base.sha256:
        return f"{production} was trained on another base model"
    if adapter.rank != settings.training.rank:
        return f"{production} has rank {adapter.rank} and the settings ask for {settings.training.rank}"
    if adapter.training_run_id is None:
        return f"nothing is known of what {production} learnt"
    if erasure.tainted(session, production):
        return f"{production} has learnt from somebody who was forgotten since"
    return ""


def with_replay(rows: Sequence[Row], known: Collection[Learnt], share: float, seed: str) -> list[Row]:
    """The rows for going onward: new ones as they are, of the known ones as many as `share` of the whole, drawn anew.

    Known rows that are not drawn stay with weight 0: they are not shown tonight, but the version has learnt them. The
    draw is weighted, so that corrections come back more often (Efraimidis and Spirakis 2006, “Weighted random
    sampling with a reservoir”), and depends on the seed and the rows alone.

    Args:
        rows: everything that may be learnt or measured on.
        known: what the version that is gone on with was taught.
        share: the replayed part of the rows that are shown, from 0 to below 1.
        seed: another for each night, or the same rows would come back every time.
    """
    taught = [row for row in rows if row["split"] == Split.TRAIN]
    old = [row for row in taught if (row["answer_id"], row["review_id"]) in known]
    wanted = round((len(taught) - len(old)) * share / (1 - share))
    drawn = {row["answer_id"] for row in sorted(old, key=lambda row: _rank(row, seed))[:wanted]}
    resting = {row["answer_id"] for row in old} - drawn
    return [row if row["answer_id"] not in resting else {**row, "weight": 0} for row in rows]


def _rank(row: Row, seed: str) -> float:
    digest = hashlib.sha256(f"{seed}:{row['answer_id']}".encode()).digest()
    chance = (int.from_bytes(digest[:8], "big") + 1) / (2**64 + 1)
    return -math.log(chance) / row["weight"]
