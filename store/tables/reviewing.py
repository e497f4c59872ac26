"""What reviewers decide, what they are busy with, and what others propose to them."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from store.tables.columns import json_list, long_text, moment, word
from store.words import Cause, GapState, ProposalState, QueueFilter, TicketStatus, Verdict


class Review(SQLModel, table=True):
    """One reviewer's verdict on one answer.

    Verdicts given at once on near-duplicates share a `batch`, and are undone at once. From `valid_until` on a
    correction is neither served nor learnt. What an undo has to put back: `status_before` is the ticket's status where
    the verdict changed it, `proposal_id` the proposal that the correction was taken from.
    """

    __tablename__: ClassVar[str] = "review"
    __table_args__ = (
        UniqueConstraint("answer_id", "reviewer_id"),
        Index("ix_review_verdict", "verdict"),
        Index("ix_review_reviewer", "reviewer_id", "created_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    answer_id: int = Field(foreign_key="answer.id", index=True)
    reviewer_id: str
    verdict: Verdict = word(Verdict)
    correction: str = long_text()
    cause: Cause | None = word(Cause, optional=True)
    note: str = long_text()
    tags: list[str] = json_list()
    batch: str = Field(default="", index=True)
    valid_until: datetime | None = moment(optional=True)
    status_before: TicketStatus | None = word(TicketStatus, optional=True)
    proposal_id: int | None = None
    created_at: datetime = moment()
    updated_at: datetime = moment(index=True)


class ReviewClaim(SQLModel, table=True):
    """A reviewer is busy with an answer; until then nobody else is offered it."""

    __tablename__: ClassVar[str] = "review_claim"
    answer_id: int = Field(primary_key=True, foreign_key="answer.id")
    reviewer_id: str
    until: datetime = moment()


class ReviewSkip(SQLModel, table=True):
    """A reviewer has left an answer to others."""

    __tablename__: ClassVar[str] = "review_skip"
    answer_id: int = Field(primary_key=True, foreign_key="answer.id")
    reviewer_id: str = Field(primary_key=True)
    created_at: datetime = moment()


class ReviewDesk(SQLModel, table=True):
    """What a reviewer has chosen to look at; an empty list of channels means all of them."""

    __tablename__: ClassVar[str] = "review_desk"
    reviewer_id: str = Field(primary_key=True)
    filter: QueueFilter = word(QueueFilter, QueueFilter.ALL)
    channels: list[str] = json_list()
    tag: str = ""
    page: int = 0


class Contradiction(SQLModel, table=True):
    """Two answers to one question that cannot both be right; `answer_id` is the older.

    `upheld_id` is the one that stands since the review `review_id` of one of them; until then both wait for reviewers.
    """

    __tablename__: ClassVar[str] = "contradiction"
    __table_args__ = (UniqueConstraint("answer_id", "other_id"),)
    id: int | None = Field(default=None, primary_key=True)
    answer_id: int = Field(foreign_key="answer.id", index=True)
    other_id: int = Field(foreign_key="answer.id", index=True)
    upheld_id: int | None = None
    review_id: int | None = Field(default=None, index=True)
    found_at: datetime = moment()


class NearBand(SQLModel, table=True):
    """A part of the MinHash of a group's first question: questions that share one may be near-duplicates."""

    __tablename__: ClassVar[str] = "near_band"
    band: int = Field(primary_key=True, sa_type=BigInteger)
    answer_id: int = Field(primary_key=True)


class Proposal(SQLModel, table=True):
    """A person's own reply after a bad answer or a hand-over: a correction for a reviewer to approve."""

    __tablename__: ClassVar[str] = "proposal"
    __table_args__ = (UniqueConstraint("answer_id", "ts"),)
    id: int | None = Field(default=None, primary_key=True)
    answer_id: int = Field(foreign_key="answer.id", index=True)
    person_id: str
    ts: str
    text: str = long_text()
    state: ProposalState = word(ProposalState, ProposalState.OPEN, index=True)
    created_at: datetime = moment()


class KnowledgeGap(SQLModel, table=True):
    """Something that the documents do not say; `owner_id` is to write it down, `closed_by` says that it is done.

    `near_group` is the group of near-duplicate questions that it stands for, as in `Answer`.
    """

    __tablename__: ClassVar[str] = "knowledge_gap"
    id: int | None = Field(default=None, primary_key=True)
    question: str = long_text()
    near_group: int | None = Field(default=None, index=True)
    owner_id: str = ""
    channel_id: str = ""
    message_ts: str = ""
    state: GapState = word(GapState, GapState.OPEN, index=True)
    closed_by: str = ""
    created_at: datetime = moment()
    updated_at: datetime = moment()


class KnowledgeGapTicket(SQLModel, table=True):
    """A ticket that asked for what is missing."""

    __tablename__: ClassVar[str] = "knowledge_gap_ticket"
    gap_id: int = Field(primary_key=True, foreign_key="knowledge_gap.id")
    ticket_id: int = Field(primary_key=True, foreign_key="ticket.id")
