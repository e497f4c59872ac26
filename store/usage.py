"""Usage: how much was asked and answered, how well and how fast, in a span of time and day by day.

Every figure is one grouped query over an index, so that the Home tab stays quick with tens of thousands of tickets.
Imported answers and the trials of admins count for nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session, and_, case, col, exists, func, literal, select

from store.tables import Answer, Message, Ticket, Vote
from store.words import Arm, DeliveryState, Role, TicketStatus, VoteValue

GIVEN = (DeliveryState.DELIVERED, DeliveryState.STOPPED)
TAKEN_BACK = (DeliveryState.WITHDRAWN, DeliveryState.SUPERSEDED)
COUNTED = (Arm.CHAMPION, Arm.CANARY)

Bucket = Callable[[Any], Any]


@dataclass(frozen=True)
class Span:
    """From a moment (included) to another one (excluded)."""

    since: datetime
    until: datetime

    @classmethod
    def last(cls, days: int, until: datetime) -> "Span":
        """So many times 24 hours, up to a moment."""
        return cls(until - timedelta(days=days), until)

    @property
    def before(self) -> "Span":
        """The span of the same length that ends where this one begins."""
        return Span(self.since - (self.until - self.since), self.since)


@dataclass
class Figures:
    """What happened in a span of time.

    `asked` and `answered` count questions, follow-ups among them; `tickets` are the threads with an answer.
    `unaided` are those of them in which no colleague had to help: none was called, none wrote, and nobody voted an
    answer down. `first_text_ms` is the median time to the first piece of text.
    """

    asked: int = 0
    answered: int = 0
    tokens: int = 0
    tickets: int = 0
    unaided: int = 0
    up: int = 0
    down: int = 0
    first_text_ms: float | None = None

    @property
    def satisfaction(self) -> float | None:
        """The share of thumbs that point up, None without any."""
        return self.up / (self.up + self.down) if self.up + self.down else None

    @property
    def unaided_share(self) -> float | None:
        """The share of the answered threads that were solved without a human, None without any."""
        return self.unaided / self.tickets if self.tickets else None


def figures(session: Session, span: Span) -> Figures:
    """The figures of a whole span of time."""
    return _collected(session, span, lambda _: literal("")).get("", Figures())


def by_day(session: Session, span: Span) -> dict[date, Figures]:
    """The figures of each day (UTC) that a span touches, in their order; empty days are there too."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    found = _collected(session, span, lambda at: func.date(at if sqlite else func.timezone("UTC", at)))
    first, last = span.since.date(), (span.until - timedelta(microseconds=1)).date()
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return {day: found.get(day.isoformat(), Figures()) for day in days}


def _collected(session: Session, span: Span, bucket: Bucket) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    for question, names in MEANINGS.items():
        for key, *values in session.execute(question(span, bucket)):
            figures = found.setdefault(str(key), Figures())
            for name, value in zip(names, values, strict=True):
                setattr(figures, name, value)
    return found


def _within(moment: Any, span: Span) -> Any:
    return and_(moment >= span.since, moment < span.until)


def _number_of(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _answers(span: Span, bucket: Bucket) -> Any:
    key = bucket(col(Answer.created_at)).label("key")
    state, tokens = col(Answer.state), col(Answer.prompt_tokens) + col(Answer.completion_tokens)
    return (
        select(key, _number_of(state.not_in(TAKEN_BACK)), _number_of(state.in_(GIVEN)), func.sum(tokens))
        .where(_within(col(Answer.created_at), span), col(Answer.arm).in_(COUNTED))
        .group_by(key)
    )


def _first_texts(span: Span, bucket: Bucket) -> Any:
    # Neither database has a median that the other one has too: the middle one or two of the numbered values.
    key = bucket(col(Answer.created_at)).label("key")
    value: Any = col(Answer.first_token_ms).label("value")
    numbered = (
        select(
            key,
            value,
            func.row_number().over(partition_by=key, order_by=value).label("number"),
            func.count().over(partition_by=key).label("count"),
        )
        .where(_within(col(Answer.created_at), span), col(Answer.arm).in_(COUNTED), value.is_not(None))
        .subquery()
    )
    twice = 2 * numbered.c.number
    middle = and_(twice >= numbered.c.count, twice <= numbered.c.count + 2)
    return select(numbered.c.key, func.avg(numbered.c.value)).where(middle).group_by(numbered.c.key)


def _tickets(span: Span, bucket: Bucket) -> Any:
    key = bucket(col(Ticket.created_at)).label("key")
    answered = exists().where(
        col(Answer.ticket_id) == col(Ticket.id), col(Answer.arm).in_(COUNTED), col(Answer.state).in_(GIVEN)
    )
    helped = select(Message.ticket_id).where(Message.role == Role.HELPER, col(Message.deleted).is_(False))
    disliked = select(Answer.ticket_id).join(Vote, col(Vote.answer_id) == col(Answer.id))
    unaided = and_(
        col(Ticket.status) != TicketStatus.ESCALATED,
        col(Ticket.escalated_to) == "",
        col(Ticket.id).not_in(helped),
        col(Ticket.id).not_in(disliked.where(Vote.value == VoteValue.DOWN)),
    )
    return (
        select(key, func.count(), _number_of(unaided))
        .where(_within(col(Ticket.created_at), span), answered)
        .group_by(key)
    )


def _votes(span: Span, bucket: Bucket) -> Any:
    key = bucket(col(Vote.updated_at)).label("key")
    return (
        select(key, _number_of(col(Vote.value) == VoteValue.UP), _number_of(col(Vote.value) == VoteValue.DOWN))
        .join(Answer, col(Answer.id) == col(Vote.answer_id))
        .where(_within(col(Vote.updated_at), span), col(Answer.arm).in_(COUNTED))
        .group_by(key)
    )


MEANINGS: dict[Callable[[Span, Bucket], Any], tuple[str, ...]] = {
    _answers: ("asked", "answered", "tokens"),
    _first_texts: ("first_text_ms",),
    _tickets: ("tickets", "unaided"),
    _votes: ("up", "down"),
}
"""For each query, the figures that its columns after the first one are."""
