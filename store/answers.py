"""Answers: from the moment a question is taken up to the moment its answer stands in Slack."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select, update

from store import near_groups
from store.errors import NotFound
from store.session import insert_ignoring
from store.tables import Answer, Ticket, now
from store.words import DeliveryState

UNFINISHED = (DeliveryState.PENDING, DeliveryState.STREAMING)
GONE = (DeliveryState.WITHDRAWN, DeliveryState.SUPERSEDED)
"""What stands in Slack no more: nothing that still runs may change such an answer."""


@dataclass(frozen=True)
class Outcome:
    """What a generation came to: the text and its measures; times in milliseconds. `cut_off`: at its longest."""

    text: str
    state: DeliveryState
    error: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_token_ms: float | None = None
    latency_ms: float | None = None
    mean_logprob: float | None = None
    cut_off: bool = False


def take_up(session: Session, ticket: Ticket, key: str, question_ts: str) -> Answer:
    """The answer to a question, stored as pending when the question is taken up for the first time."""
    answer = Answer(ticket_id=ticket.id or 0, event_id=key, question_ts=question_ts, channel_id=ticket.channel_id)
    new = insert_ignoring(session, Answer, answer.model_dump(exclude={"id"}))
    stored = session.exec(select(Answer).where(Answer.event_id == key)).one()
    if new and question_ts == ticket.thread_ts:
        # What follows in a thread means little without it, so only opening questions are grouped.
        near_groups.place(session, stored, ticket.question)
    return stored


def get(session: Session, answer_id: int) -> Answer:
    """The answer with this number.

    Raises:
        NotFound: there is none.
    """
    answer = session.get(Answer, answer_id)
    if answer is None:
        raise NotFound("That answer does not exist any more.")
    return answer


def by_key(session: Session, key: str) -> Answer | None:
    """The answer to the question with this key."""
    return session.exec(select(Answer).where(Answer.event_id == key)).first()


def with_ticket(session: Session, answer_id: int) -> tuple[Answer, Ticket]:
    """An answer and the ticket it belongs to.

    Raises:
        NotFound: there is no such answer.
    """
    answer = get(session, answer_id)
    return answer, session.get_one(Ticket, answer.ticket_id)


def of_message(session: Session, channel_id: str, message_ts: str) -> Answer | None:
    """The answer that stands in Slack as this message; the newest where one took the place of another."""
    standing = select(Answer).where(Answer.channel_id == channel_id, Answer.message_ts == message_ts)
    return session.exec(standing.order_by(col(Answer.id).desc())).first()


def known_messages(session: Session, channel_id: str, timestamps: list[str]) -> set[str]:
    """Which of these messages of a channel are answers of ours."""
    return set(
        session.exec(
            select(Answer.message_ts).where(Answer.channel_id == channel_id, col(Answer.message_ts).in_(timestamps))
        )
    )


def _change(session: Session, answer_id: int, **values: Any) -> bool:
    changed = session.exec(
        update(Answer).where(col(Answer.id) == answer_id, col(Answer.state).not_in(GONE)).values(**values)
    )
    return bool(changed.rowcount)


def standing_at(session: Session, answer_id: int, timestamps: list[str]) -> None:
    """The answer's messages exist in Slack, under these timestamps; the last one is to have the buttons."""
    _change(session, answer_id, message_ts=timestamps[-1], earlier_ts=timestamps[:-1])
    session.exec(
        update(Answer)
        .where(col(Answer.id) == answer_id, col(Answer.state) == DeliveryState.PENDING)
        .values(state=DeliveryState.STREAMING)
    )


def standing(answer: Answer) -> list[str]:
    """The timestamps of the answer's messages in Slack, in their order."""
    return [*answer.earlier_ts, *([answer.message_ts] if answer.message_ts else [])]


def record(session: Session, answer_id: int, outcome: Outcome) -> None:
    """Record what was generated, before the message is closed."""
    _change(
        session,
        answer_id,
        text=outcome.text,
        error=outcome.error,
        prompt_tokens=outcome.prompt_tokens,
        completion_tokens=outcome.completion_tokens,
        first_token_ms=outcome.first_token_ms,
        latency_ms=outcome.latency_ms,
        mean_logprob=outcome.mean_logprob,
        completed_at=now(),
    )


def close(session: Session, answer_id: int, state: DeliveryState, timestamps: list[str]) -> bool:
    """The answer stands in Slack in its last form; False when it was withdrawn or replaced meanwhile."""
    last = timestamps[-1] if timestamps else ""
    return _change(session, answer_id, state=state, message_ts=last, earlier_ts=timestamps[:-1])


def lose(session: Session, answer_id: int) -> None:
    """The answer's message was deleted in Slack: nothing of it is reviewed or learnt."""
    _change(session, answer_id, state=DeliveryState.WITHDRAWN)


def to_question(session: Session, ticket_id: int, question_ts: str) -> list[Answer]:
    """The answers to one message that were neither withdrawn nor replaced, the newest first."""
    asked = select(Answer).where(Answer.ticket_id == ticket_id, Answer.question_ts == question_ts)
    return list(session.exec(asked.where(col(Answer.state).not_in(GONE)).order_by(col(Answer.id).desc())))


def is_redone(session: Session, answer: Answer) -> bool:
    """Whether this answer has taken the place of an earlier one, because the question was edited."""
    earlier = select(Answer.id).where(
        Answer.ticket_id == answer.ticket_id,
        Answer.question_ts == answer.question_ts,
        Answer.state == DeliveryState.SUPERSEDED,
        col(Answer.id) < (answer.id or 0),
    )
    return session.exec(earlier.limit(1)).first() is not None


def supersede(session: Session, old: Answer, key: str) -> Answer:
    """A new answer takes the place of an old one, message and all; votes and reviews stay with the old one."""
    new = Answer(
        ticket_id=old.ticket_id,
        event_id=key,
        question_ts=old.question_ts,
        channel_id=old.channel_id,
        message_ts=old.message_ts,
        earlier_ts=old.earlier_ts,
    )
    old.state, old.message_ts, old.earlier_ts = DeliveryState.SUPERSEDED, "", []
    session.add(new)
    session.flush()
    return new


def reopen(session: Session, answer_id: int) -> bool:
    """Make a failed answer pending again; False when it is not failed (any more)."""
    changed = session.exec(
        update(Answer)
        .where(col(Answer.id) == answer_id, col(Answer.state) == DeliveryState.FAILED)
        .values(state=DeliveryState.PENDING, error="", text="", completed_at=None)
    )
    return bool(changed.rowcount)
