"""Adapters, which of them answers, how it came to that, and who may do which piece of work."""

from datetime import datetime
from typing import ClassVar

from sqlmodel import Field, SQLModel

from store.tables.columns import BASE, json_list, long_text, moment, word
from store.words import AdapterState, CanaryOutcome, PromotionKind


class Adapter(SQLModel, table=True):
    """One version of the adapter, served under `name` (`v7`) and never overwritten.

    `discarded_by` is the admin who rejected it; it is empty where a check did.
    """

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
    state: AdapterState = word(AdapterState, AdapterState.CANDIDATE, index=True)
    note: str = long_text()
    discarded_by: str = ""
    created_at: datetime = moment()


class Alias(SQLModel, table=True):
    """Which adapter answers under a role; the row `production` is read at each question."""

    __tablename__: ClassVar[str] = "alias"
    name: str = Field(primary_key=True)
    adapter: str = BASE
    generation: int = 0
    updated_at: datetime = moment()


class Trial(SQLModel, table=True):
    """A version that an admin tries in their direct message with the bot, until a moment."""

    __tablename__: ClassVar[str] = "trial"
    person_id: str = Field(primary_key=True)
    adapter: str
    until: datetime = moment()


class Canary(SQLModel, table=True):
    """A version that answers a part of the new threads beside production, and what came of it.

    The part is a random `share` of all threads, or of those in `channels` or of `people` where any are named. `slot` is
    "production" while it runs and empty afterwards, so that there is one at a time.
    """

    __tablename__: ClassVar[str] = "canary"
    id: int | None = Field(default=None, primary_key=True)
    slot: str | None = Field(default=None, unique=True)
    adapter: str = Field(index=True)
    champion: str
    share: float
    channels: list[str] = json_list()
    people: list[str] = json_list()
    outcome: CanaryOutcome = word(CanaryOutcome, CanaryOutcome.RUNNING)
    reason: str = long_text()
    started_by: str
    ended_by: str = ""
    started_at: datetime = moment()
    ended_at: datetime | None = moment(optional=True)


class Promotion(SQLModel, table=True):
    """Append-only: who moved production from which version to which, when, why, on what evidence."""

    __tablename__: ClassVar[str] = "promotion"
    id: int | None = Field(default=None, primary_key=True)
    kind: PromotionKind = word(PromotionKind)
    adapter: str
    previous: str
    person_id: str
    reason: str = long_text()
    evaluation_id: int | None = Field(default=None, foreign_key="evaluation.id")
    created_at: datetime = moment()


class Lease(SQLModel, table=True):
    """Who may do a piece of work until when; `token` grows with each holder and fences off the earlier ones."""

    __tablename__: ClassVar[str] = "lease"
    name: str = Field(primary_key=True)
    holder: str
    token: int = 1
    until: datetime = moment()
