"""What people ask and the bot answers: events, tickets, transcripts, answers, votes, messages owed."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from store.tables.columns import BASE, json_dict, json_list, long_text, moment, word
from store.words import (
    Arm,
    DeliveryState,
    InboxState,
    OutboxState,
    ReviewState,
    Role,
    Surface,
    TicketStatus,
    Visibility,
    VoteReason,
    VoteSource,
    VoteValue,
)


class InboxEvent(SQLModel, table=True):
    """An event or click as Slack sent it, stored before it is acknowledged."""

    __tablename__: ClassVar[str] = "inbox_event"
    id: str = Field(primary_key=True)
    kind: str
    body: dict[str, Any] = json_dict()
    state: InboxState = word(InboxState, InboxState.RECEIVED, index=True)
    attempts: int = 0
    claimed_by: str = ""
    lease_until: datetime | None = moment(optional=True)
    error: str = long_text()
    received_at: datetime = moment(index=True)
    done_at: datetime | None = moment(optional=True)


class OutboxMessage(SQLModel, table=True):
    """A message that we owe to Slack: written with the change that causes it, posted by the bot, never twice."""

    __tablename__: ClassVar[str] = "outbox_message"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    kind: str
    payload: dict[str, Any] = json_dict()
    state: OutboxState = word(OutboxState, OutboxState.WAITING, index=True)
    attempts: int = 0
    error: str = long_text()
    channel_id: str = ""
    message_ts: str = ""
    created_at: datetime = moment()
    sent_at: datetime | None = moment(optional=True)


class Ticket(SQLModel, table=True):
    """One Slack thread that asks for help; `reminded_at` is when its asker was asked for feedback, once."""

    __tablename__: ClassVar[str] = "ticket"
    __table_args__ = (UniqueConstraint("team_id", "channel_id", "thread_ts"),)
    id: int | None = Field(default=None, primary_key=True)
    enterprise_id: str = ""
    team_id: str
    channel_id: str
    thread_ts: str
    asker_id: str = Field(index=True)
    surface: Surface = word(Surface)
    visibility: Visibility = word(Visibility)
    trainable: bool = True
    status: TicketStatus = word(TicketStatus, TicketStatus.OPEN, index=True)
    question: str = long_text()
    topic: str = ""
    details: dict[str, Any] = json_dict()
    split_group: str = Field(default="", index=True)
    escalated_to: str = ""
    resolved_by: str = ""
    reminded_at: datetime | None = moment(optional=True)
    created_at: datetime = moment(index=True)
    updated_at: datetime = moment()


class Message(SQLModel, table=True):
    """One message of a ticket's thread, our own transcript of it."""

    __tablename__: ClassVar[str] = "message"
    __table_args__ = (UniqueConstraint("ticket_id", "ts"), Index("ix_message_role_ticket", "role", "ticket_id"))
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    ts: str
    person_id: str
    role: Role = word(Role)
    text: str = long_text()
    deleted: bool = False
    created_at: datetime = moment()


class Answer(SQLModel, table=True):
    """One reply of the bot in a ticket, with the messages exactly as they were sent to the model.

    `message_ts` is the message with the buttons; where an answer takes several messages, it is the last one, and
    `earlier_ts` are those before it. `approved_by` is the review whose correction was given as it stands, without
    asking the model. `near_group` is the first answer whose question was nearly the same (itself where it is the
    first).
    """

    __tablename__: ClassVar[str] = "answer"
    # Usage is counted in the first two indexes alone: the rows themselves are wide, with their prompts in them. The
    # others let the review queue read the answers that wait without touching those that were decided.
    __table_args__ = (
        Index("ix_answer_given", "ticket_id", "arm", "state"),
        Index("ix_answer_usage", "created_at", "arm", "state", "prompt_tokens", "completion_tokens", "first_token_ms"),
        Index("ix_answer_review_state", "review_state", "state", "arm"),
        Index("ix_answer_review_newest", "review_state", "id"),
        Index("ix_answer_review_unsure", "review_state", "mean_logprob"),
        Index("ix_answer_review_near", "review_state", "near_group", "id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    event_id: str = Field(unique=True)
    question_ts: str
    channel_id: str = ""
    message_ts: str = Field(default="", index=True)
    earlier_ts: list[str] = json_list()
    messages: list[dict[str, str]] = json_list()
    text: str = long_text()
    adapter: str = BASE
    arm: Arm = word(Arm, Arm.CHAMPION)
    passages: list[dict[str, Any]] = json_list()
    state: DeliveryState = word(DeliveryState, DeliveryState.PENDING, index=True)
    error: str = long_text()
    approved_by: int | None = None
    review_state: ReviewState = word(ReviewState, ReviewState.WAITING)
    near_group: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_token_ms: float | None = None
    latency_ms: float | None = None
    mean_logprob: float | None = None
    created_at: datetime = moment(index=True)
    completed_at: datetime | None = moment(optional=True)


class Vote(SQLModel, table=True):
    """One person's present opinion of one answer; the last one wins.

    `suggestion` is what the answer should have said, in the person's words. `button` is which thumb below the answer
    they pressed last: the opinion that is left when a later reaction is taken back. `updated_at` is the moment of the
    gesture.
    """

    __tablename__: ClassVar[str] = "vote"
    __table_args__ = (UniqueConstraint("answer_id", "person_id"), Index("ix_vote_value", "value", "answer_id"))
    id: int | None = Field(default=None, primary_key=True)
    answer_id: int = Field(foreign_key="answer.id", index=True)
    person_id: str
    value: VoteValue = word(VoteValue)
    reason: VoteReason | None = word(VoteReason, optional=True)
    comment: str = long_text()
    suggestion: str = long_text()
    button: VoteValue | None = word(VoteValue, optional=True)
    source: VoteSource = word(VoteSource, VoteSource.BUTTON)
    created_at: datetime = moment()
    updated_at: datetime = moment()
