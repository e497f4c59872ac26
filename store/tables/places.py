"""Channels and people: what a channel's admins set, what a person chose, who may do what."""

from datetime import datetime
from typing import ClassVar

from sqlmodel import Field, SQLModel

from store.tables.columns import long_text, moment, word
from store.words import Answering, Duty


class Channel(SQLModel, table=True):
    """The settings of one channel; without a row the defaults below hold.

    `min_confidence` (0 to 1) is the geometric mean probability of a token below which the bot says that it is not
    sure. `on_call` is a user group (S…) or a person (U…) to call when a human is wanted. `noticed_at` is when the
    channel was told what is stored and learnt. With `documents_only` nothing is answered that no document answers.
    """

    __tablename__: ClassVar[str] = "channel"
    team_id: str = Field(primary_key=True)
    channel_id: str = Field(primary_key=True)
    answering: Answering = word(Answering, Answering.MENTIONS)
    min_confidence: float = 0.0
    trainable: bool = True
    documents: bool = True
    documents_only: bool = False
    persona: str = long_text()
    on_call: str = ""
    noticed_at: datetime | None = moment(optional=True)
    updated_by: str = ""
    updated_at: datetime = moment()


class Person(SQLModel, table=True):
    """What a person chose: whether their tickets may be learnt, and whether they hear of fixes."""

    __tablename__: ClassVar[str] = "person"
    team_id: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True)
    learning_opt_out: bool = False
    fix_notices: bool = True
    noticed_at: datetime | None = moment(optional=True)
    updated_at: datetime = moment()


class DutyGrant(SQLModel, table=True):
    """A duty that an admin gave to a person in Slack, beside those that the settings give."""

    __tablename__: ClassVar[str] = "duty_grant"
    person_id: str = Field(primary_key=True)
    duty: Duty = word(Duty)
    granted_by: str
    created_at: datetime = moment()


class Erasure(SQLModel, table=True):
    """A ticket in which a person who was forgotten had written: what was frozen of it before is not to be kept."""

    __tablename__: ClassVar[str] = "erasure"
    ticket_id: int = Field(primary_key=True, foreign_key="ticket.id")
    created_at: datetime = moment()
