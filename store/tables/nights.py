"""The nightly run and what it makes: splits, datasets, trainings, evaluations."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from store.tables.columns import json_dict, json_list, long_text, moment, word
from store.words import DatasetKind, GateVerdict, ItemKind, NightState, Split, Stage, StageState


class SplitGroup(SQLModel, table=True):
    """A group of near-duplicate tickets and the split it belongs to, decided once and kept for ever."""

    __tablename__: ClassVar[str] = "split_group"
    id: str = Field(primary_key=True)
    split: Split = word(Split)
    decided_at: datetime = moment()


class Night(SQLModel, table=True):
    """One run of the nightly job. `key` is the date of a scheduled night, or a date and number for one by hand."""

    __tablename__: ClassVar[str] = "night"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    requested_by: str = "schedule"
    state: NightState = word(NightState, NightState.REQUESTED, index=True)
    outcome: str = long_text()
    cancelled_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Who wants it to end, or wanted it; empty again when somebody starts it anew."""
    created_at: datetime = moment()
    finished_at: datetime | None = moment(optional=True)


class NightStage(SQLModel, table=True):
    """One step of a night with its state and result, so that a killed night goes on where it stood."""

    __tablename__: ClassVar[str] = "night_stage"
    __table_args__ = (UniqueConstraint("night_id", "stage"),)
    id: int | None = Field(default=None, primary_key=True)
    night_id: int = Field(foreign_key="night.id", index=True)
    stage: Stage = word(Stage)
    state: StageState = word(StageState, StageState.RUNNING)
    attempts: int = 0
    result: dict[str, Any] = json_dict()
    error: str = long_text()
    started_at: datetime = moment()
    finished_at: datetime | None = moment(optional=True)


class Dataset(SQLModel, table=True):
    """A frozen training set: a parquet file and its manifest (counts, filters, seed, versions)."""

    __tablename__: ClassVar[str] = "dataset"
    id: int | None = Field(default=None, primary_key=True)
    night_id: int = Field(foreign_key="night.id", index=True)
    kind: DatasetKind = word(DatasetKind, DatasetKind.SFT)
    path: str
    sha256: str
    manifest: dict[str, Any] = json_dict()
    created_at: datetime = moment()


class DatasetRow(SQLModel, table=True):
    """Where one row of a dataset came from; without a review, it stands on votes alone."""

    __tablename__: ClassVar[str] = "dataset_row"
    __table_args__ = (UniqueConstraint("dataset_id", "answer_id"),)
    id: int | None = Field(default=None, primary_key=True)
    dataset_id: int = Field(foreign_key="dataset.id", index=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    answer_id: int = Field(foreign_key="answer.id", index=True)
    review_id: int | None = Field(default=None, foreign_key="review.id")
    split: Split = word(Split)


class TrainingRun(SQLModel, table=True):
    """One training process: what it was told, what it read, how the loss went."""

    __tablename__: ClassVar[str] = "training_run"
    id: int | None = Field(default=None, primary_key=True)
    night_id: int = Field(foreign_key="night.id", index=True)
    dataset_id: int = Field(foreign_key="dataset.id")
    base_model: str
    base_sha256: str
    folder: str
    seed: int
    parameters: dict[str, Any] = json_dict()
    metrics: list[dict[str, Any]] = json_list()
    versions: dict[str, str] = json_dict()
    started_at: datetime = moment()
    finished_at: datetime | None = moment(optional=True)


class Evaluation(SQLModel, table=True):
    """Candidate against champion on the held-out tickets: metrics with intervals, and a verdict in words."""

    __tablename__: ClassVar[str] = "evaluation"
    id: int | None = Field(default=None, primary_key=True)
    night_id: int = Field(foreign_key="night.id", index=True)
    candidate: str = Field(index=True)
    champion: str
    verdict: GateVerdict = word(GateVerdict)
    summary: str = long_text()
    metrics: dict[str, Any] = json_dict()
    chart: str = ""
    created_at: datetime = moment()


class EvaluationItem(SQLModel, table=True):
    """One ticket answered by both: held out, or corrected by a reviewer and asked again."""

    __tablename__: ClassVar[str] = "evaluation_item"
    __table_args__ = (UniqueConstraint("evaluation_id", "answer_id"),)
    id: int | None = Field(default=None, primary_key=True)
    evaluation_id: int = Field(foreign_key="evaluation.id", index=True)
    ticket_id: int = Field(foreign_key="ticket.id")
    answer_id: int = Field(foreign_key="answer.id")
    kind: ItemKind = word(ItemKind, ItemKind.HELD_OUT)
    reference: str = long_text()
    candidate_text: str = long_text()
    champion_text: str = long_text()
    candidate_scores: dict[str, float] = json_dict()
    champion_scores: dict[str, float] = json_dict()
