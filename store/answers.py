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
        update(Answer).where(col(Answer.id) == answer_id, col(Answer.state) != DeliveryState.WITHDRAWN).values(**values)
    )
    return bool(changed.rowcount)


def standing_at(session: Session, answer_id: int, message_ts: str) -> None:
    """The answer's message exists in Slack, under this ts."""
    _change(session, answer_id, message_ts=message_ts)
    session.exec(
        update(Answer)
        .where(col(Answer.id) == answer_id, col(Answer.state) == DeliveryState.PENDING)
        .values(state=DeliveryState.STREAMING)
    )


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


def close(session: Session, answer_id: int, state: DeliveryState, message_ts: str) -> bool:
    """The answer stands in Slack in its last form; False when it was withdrawn meanwhile."""
    return _change(session, answer_id, state=state, message_ts=message_ts)


def reopen(session: Session, answer_id: int) -> bool:
    """Make a failed answer pending again; False when it is not failed (any more)."""
    changed = session.exec(
        update(Answer)
        .where(col(Answer.id) == answer_id, col(Answer.state) == DeliveryState.FAILED)
        .values(state=DeliveryState.PENDING, error="", text="", completed_at=None)
    )
    return bool(changed.rowcount)
