"""Where a version comes from and what became of it: night, rows, base, moves; which tickets taught which version."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from store.tables import Adapter, Dataset, DatasetRow, Evaluation, Night, Promotion, Ticket, TrainingRun
from store.words import GateVerdict, Split


@dataclass(frozen=True)
class Lineage:
    """One version with its history; what is not known, as of an imported version, is empty or None.

    `rows` is the number of training rows. `moves` are the moves of production to this version, the latest first.
    """

    adapter: Adapter
    night: str = ""
    rows: int | None = None
    champion: str = ""
    verdict: GateVerdict | None = None
    moves: Sequence[Promotion] = field(default_factory=tuple)


def lineages(session: Session, limit: int) -> list[Lineage]:
    """The newest versions with their history, newest first."""
    versions = session.exec(select(Adapter).order_by(col(Adapter.version).desc()).limit(limit)).all()
    trained = _trained(session, [version.training_run_id for version in versions])
    compared = _compared(session, [version.name for version in versions])
    moves = session.exec(
        select(Promotion)
        .where(col(Promotion.adapter).in_([version.name for version in versions]))
        .order_by(col(Promotion.id).desc())
    ).all()
    return [
        Lineage(
            version,
            *trained.get(version.training_run_id, ("", None)),
            *compared.get(version.name, ("", None)),
            moves=[move for move in moves if move.adapter == version.name],
        )
        for version in versions
    ]


def _trained(session: Session, runs: Sequence[int | None]) -> dict[int | None, tuple[str, int | None]]:
    rows = session.exec(
        select(TrainingRun.id, Night.key, Dataset.manifest)
        .join(Night, col(Night.id) == col(TrainingRun.night_id))
        .join(Dataset, col(Dataset.id) == col(TrainingRun.dataset_id))
        .where(col(TrainingRun.id).in_(runs))
    )
    return {run_id: (key, _train_rows(manifest)) for run_id, key, manifest in rows}


def _train_rows(manifest: Mapping[str, Any]) -> int | None:
    known = (manifest.get("rows") or {}).get("train")
    return int(known) if known is not None else None


def _compared(session: Session, names: Sequence[str]) -> dict[str, tuple[str, GateVerdict | None]]:
    rows = session.exec(
        select(Evaluation.candidate, Evaluation.champion, Evaluation.verdict)
        .where(col(Evaluation.candidate).in_(names))
        .order_by(col(Evaluation.id))
    )
    compared: dict[str, tuple[str, GateVerdict | None]] = {}
    # A version that was compared again is known by its latest comparison.
    for candidate, champion, verdict in rows:
        compared[candidate] = (champion, GateVerdict(verdict))
    return compared


def tickets_of(session: Session, adapter_name: str) -> list[Ticket]:
    """The tickets that a version was trained on, oldest first."""
    learnt = (
        select(DatasetRow.ticket_id)
        .join(TrainingRun, col(TrainingRun.dataset_id) == col(DatasetRow.dataset_id))
        .join(Adapter, col(Adapter.training_run_id) == col(TrainingRun.id))
        .where(Adapter.name == adapter_name, DatasetRow.split == Split.TRAIN)
    )
    return list(session.exec(select(Ticket).where(col(Ticket.id).in_(learnt)).order_by(col(Ticket.id))))


def versions_of(session: Session, ticket_ids: Iterable[int]) -> list[str]:
    """The versions that were trained on any of these tickets, oldest first."""
    learnt = (
        select(Adapter.name, Adapter.version)
        .join(TrainingRun, col(TrainingRun.id) == col(Adapter.training_run_id))
        .join(DatasetRow, col(DatasetRow.dataset_id) == col(TrainingRun.dataset_id))
        .where(col(DatasetRow.ticket_id).in_(list(ticket_ids)), DatasetRow.split == Split.TRAIN)
        .distinct()
        .order_by(col(Adapter.version))
    )
    return [name for name, _ in session.exec(learnt)]
