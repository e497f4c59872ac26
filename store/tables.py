"""The tables: one class a noun, and the words their columns may hold. The nouns are explained in docs/design.md."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, Dialect, Enum, Text, TypeDecorator, UniqueConstraint
from sqlmodel import Field, SQLModel

from store.words import (
    AdapterState,
    Arm,
    Cause,
    DatasetKind,
    DeliveryState,
    GateVerdict,
    InboxState,
    NightState,
    OutboxState,
    PromotionKind,
    Role,
    Split,
    Stage,
    StageState,
    Surface,
    TicketStatus,
    Verdict,
    Visibility,
    VoteReason,
    VoteSource,
    VoteValue,
)

BASE = "base"
"""The name under which the base model, without any adapter, is served and recorded."""


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment that is UTC on the way in and on the way out, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive moments; store UTC."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without time zone cannot be stored; use datetime.now(UTC)")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC back; SQLite forgets the zone."""
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


def _moment(*, optional: bool = False, index: bool = False) -> Any:
    if optional:
        return Field(default=None, sa_type=UTCDateTime, nullable=True, index=index)
    return Field(default_factory=now, sa_type=UTCDateTime, nullable=False, index=index)


def _json_list() -> Any:
    return Field(default_factory=list, sa_type=JSON, nullable=False)


def _json_dict() -> Any:
    return Field(default_factory=dict, sa_type=JSON, nullable=False)


def _long_text() -> Any:
    return Field(default="", sa_type=Text, nullable=False)


def _word(words: type[StrEnum], default: StrEnum | None = None, *, index: bool = False, optional: bool = False) -> Any:
    # Strings rather than the database's own enums: a new word then needs no migration.
    kind: Any = Enum(words, native_enum=False, length=40, values_callable=lambda enum: [word.value for word in enum])
    if default is not None:
        return Field(default=default, sa_type=kind, nullable=False, index=index)
    if optional:
        return Field(default=None, sa_type=kind, nullable=True, index=index)
    return Field(sa_type=kind, nullable=False, index=index)


class InboxEvent(SQLModel, table=True):
    """An event or click as Slack sent it, stored before it is acknowledged."""

    __tablename__: ClassVar[str] = "inbox_event"
    id: str = Field(primary_key=True)
    kind: str
    body: dict[str, Any] = _json_dict()
    state: InboxState = _word(InboxState, InboxState.RECEIVED, index=True)
    attempts: int = 0
    claimed_by: str = ""
    lease_until: datetime | None = _moment(optional=True)
    error: str = _long_text()
    received_at: datetime = _moment(index=True)
    done_at: datetime | None = _moment(optional=True)


class OutboxMessage(SQLModel, table=True):
    """A message that we owe to Slack: written with the change that causes it, posted by the bot, never twice."""

    __tablename__: ClassVar[str] = "outbox_message"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    kind: str
    payload: dict[str, Any] = _json_dict()
    state: OutboxState = _word(OutboxState, OutboxState.WAITING, index=True)
    attempts: int = 0
    error: str = _long_text()
    channel_id: str = ""
    message_ts: str = ""
    created_at: datetime = _moment()
    sent_at: datetime | None = _moment(optional=True)


class Ticket(SQLModel, table=True):
    """One Slack thread that asks for help."""

    __tablename__: ClassVar[str] = "ticket"
    __table_args__ = (UniqueConstraint("team_id", "channel_id", "thread_ts"),)
    id: int | None = Field(default=None, primary_key=True)
    enterprise_id: str = ""
    team_id: str
    channel_id: str
    thread_ts: str
    asker_id: str = Field(index=True)
    surface: Surface = _word(Surface)
    visibility: Visibility = _word(Visibility)
    trainable: bool = True
    status: TicketStatus = _word(TicketStatus, TicketStatus.OPEN, index=True)
    question: str = _long_text()
    topic: str = ""
    details: dict[str, Any] = _json_dict()
    split_group: str = Field(default="", index=True)
    created_at: datetime = _moment(index=True)
    updated_at: datetime = _moment()


class Message(SQLModel, table=True):
    """One message of a ticket's thread, our own transcript of it."""

    __tablename__: ClassVar[str] = "message"
    __table_args__ = (UniqueConstraint("ticket_id", "ts"),)
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    ts: str
    person_id: str
    role: Role = _word(Role)
    text: str = _long_text()
    deleted: bool = False
    created_at: datetime = _moment()


class Answer(SQLModel, table=True):
    """One reply of the bot in a ticket, with the messages exactly as they were sent to the model."""

    __tablename__: ClassVar[str] = "answer"
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    event_id: str = Field(unique=True)
    question_ts: str
    channel_id: str = ""
    message_ts: str = Field(default="", index=True)
    messages: list[dict[str, str]] = _json_list()
    text: str = _long_text()
    adapter: str = BASE
    arm: Arm = _word(Arm, Arm.CHAMPION)
    passages: list[dict[str, Any]] = _json_list()
    state: DeliveryState = _word(DeliveryState, DeliveryState.PENDING, index=True)
    error: str = _long_text()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_token_ms: float | None = None
    latency_ms: float | None = None
    mean_logprob: float | None = None
    created_at: datetime = _moment(index=True)
    completed_at: datetime | None = _moment(optional=True)


class Vote(SQLModel, table=True):
    """One person's present opinion of one answer; the last one wins."""

    __tablename__: ClassVar[str] = "vote"
    __table_args__ = (UniqueConstraint("answer_id", "person_id"),)
    id: int | None = Field(default=None, primary_key=True)
    answer_id: int = Field(foreign_key="answer.id", index=True)
    person_id: str
    value: VoteValue = _word(VoteValue)
    reason: VoteReason | None = _word(VoteReason, optional=True)
    comment: str = _long_text()
    source: VoteSource = _word(VoteSource, VoteSource.BUTTON)
    created_at: datetime = _moment()
    updated_at: datetime = _moment()


class Review(SQLModel, table=True):
    """One reviewer's verdict on one answer."""

    __tablename__: ClassVar[str] = "review"
    __table_args__ = (UniqueConstraint("answer_id", "reviewer_id"),)
    id: int | None = Field(default=None, primary_key=True)
    answer_id: int = Field(foreign_key="answer.id", index=True)
    reviewer_id: str
    verdict: Verdict = _word(Verdict)
    correction: str = _long_text()
    cause: Cause | None = _word(Cause, optional=True)
    note: str = _long_text()
    created_at: datetime = _moment()
    updated_at: datetime = _moment()


class Document(SQLModel, table=True):
    """A source of knowledge that changes often: retrieved, never trained on."""

    __tablename__: ClassVar[str] = "document"
    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(unique=True)
    title: str
    text: str = _long_text()
    sha256: str
    visibility: Visibility = _word(Visibility, Visibility.PUBLIC)
    updated_at: datetime = _moment()


class Passage(SQLModel, table=True):
    """A part of a document, of a size that fits a prompt."""

    __tablename__: ClassVar[str] = "passage"
    __table_args__ = (UniqueConstraint("document_id", "position"),)
    id: int | None = Field(default=None, primary_key=True)
    document_id: int = Field(foreign_key="document.id", index=True)
    position: int
    text: str = _long_text()


class SplitGroup(SQLModel, table=True):
    """A group of near-duplicate tickets and the split it belongs to, decided once and kept for ever."""

    __tablename__: ClassVar[str] = "split_group"
    id: str = Field(primary_key=True)
    split: Split = _word(Split)
    decided_at: datetime = _moment()


class Night(SQLModel, table=True):
    """One run of the nightly job. `key` is the date of a scheduled night, or a date and number for one by hand."""

    __tablename__: ClassVar[str] = "night"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    requested_by: str = "schedule"
    state: NightState = _word(NightState, NightState.REQUESTED, index=True)
    outcome: str = _long_text()
    created_at: datetime = _moment()
    finished_at: datetime | None = _moment(optional=True)


class NightStage(SQLModel, table=True):
    """One step of a night with its state and result, so that a killed night goes on where it stood."""

    __tablename__: ClassVar[str] = "night_stage"
    __table_args__ = (UniqueConstraint("night_id", "stage"),)
    id: int | None = Field(default=None, primary_key=True)
    night_id: int = Field(foreign_key="night.id", index=True)
    stage: Stage = _word(Stage)
    state: StageState = _word(StageState, StageState.RUNNING)
    attempts: int = 0
    result: dict[str, Any] = _json_dict()
    error: str = _long_text()
    started_at: datetime = _moment()
    finished_at: datetime | None = _moment(optional=True)


class Dataset(SQLModel, table=True):
    """A frozen training set: a parquet file and its manifest (counts, filters, seed, versions)."""

    __tablename__: ClassVar[str] = "dataset"
    id: int | None = Field(default=None, primary_key=True)
    night_id: int = Field(foreign_key="night.id", index=True)
    kind: DatasetKind = _word(DatasetKind, DatasetKind.SFT)
    path: str
    sha256: str
    manifest: dict[str, Any] = _json_dict()
    created_at: datetime = _moment()


class DatasetRow(SQLModel, table=True):
    """Where one row of a dataset came from."""

    __tablename__: ClassVar[str] = "dataset_row"
    __table_args__ = (UniqueConstraint("dataset_id", "answer_id"),)
    id: int | None = Field(default=None, primary_key=True)
    dataset_id: int = Field(foreign_key="dataset.id", index=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    answer_id: int = Field(foreign_key="answer.id", index=True)
    review_id: int = Field(foreign_key="review.id")
    split: Split = _word(Split)


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
    parameters: dict[str, Any] = _json_dict()
    metrics: list[dict[str, Any]] = _json_list()
    versions: dict[str, str] = _json_dict()
    started_at: datetime = _moment()
    finished_at: datetime | None = _moment(optional=True)


class Adapter(SQLModel, table=True):
    """One version of the adapter, served under `name` (`v7`) and never overwritten."""

    __tablename__: ClassVar[str] = "adapter"
    id: int | None = Field(default=None, primary_key=True)
    version: int = Field(unique=True)
    name: str = Field(unique=True)
    path: str
    sha256: str
    base_model: str
    base_sha256: str
    rank: int
    training_run_id: int | None = Field(default=None, foreign_key="training_run.id")
    state: AdapterState = _word(AdapterState, AdapterState.CANDIDATE, index=True)
    note: str = _long_text()
    created_at: datetime = _moment()


class Evaluation(SQLModel, table=True):
    """Candidate against champion on the held-out tickets: metrics with intervals, and a verdict in words."""

    __tablename__: ClassVar[str] = "evaluation"
    id: int | None = Field(default=None, primary_key=True)
    night_id: int = Field(foreign_key="night.id", index=True)
    candidate: str = Field(index=True)
    champion: str
    verdict: GateVerdict = _word(GateVerdict)
    summary: str = _long_text()
    metrics: dict[str, Any] = _json_dict()
    chart: str = ""
    created_at: datetime = _moment()


class EvaluationItem(SQLModel, table=True):
    """One held-out ticket answered by both."""

    __tablename__: ClassVar[str] = "evaluation_item"
    __table_args__ = (UniqueConstraint("evaluation_id", "answer_id"),)
    id: int | None = Field(default=None, primary_key=True)
    evaluation_id: int = Field(foreign_key="evaluation.id", index=True)
    ticket_id: int = Field(foreign_key="ticket.id")
    answer_id: int = Field(foreign_key="answer.id")
    reference: str = _long_text()
    candidate_text: str = _long_text()
    champion_text: str = _long_text()
    candidate_scores: dict[str, float] = _json_dict()
    champion_scores: dict[str, float] = _json_dict()


class Alias(SQLModel, table=True):
    """Which adapter answers under a role; the row `production` is read at each question."""

    __tablename__: ClassVar[str] = "alias"
    name: str = Field(primary_key=True)
    adapter: str = BASE
    generation: int = 0
    updated_at: datetime = _moment()


class Promotion(SQLModel, table=True):
    """Append-only: who moved production from which version to which, when, why, on what evidence."""

    __tablename__: ClassVar[str] = "promotion"
    id: int | None = Field(default=None, primary_key=True)
    kind: PromotionKind = _word(PromotionKind)
    adapter: str
    previous: str
    person_id: str
    reason: str = _long_text()
    evaluation_id: int | None = Field(default=None, foreign_key="evaluation.id")
    created_at: datetime = _moment()


class Lease(SQLModel, table=True):
    """Who may do a piece of work until when; `token` grows with each holder and fences off the earlier ones."""

    __tablename__: ClassVar[str] = "lease"
    name: str = Field(primary_key=True)
    holder: str
    token: int = 1
    until: datetime = _moment()
