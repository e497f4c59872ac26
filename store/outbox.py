"""The outbox: messages owed to Slack, written in the transaction that causes them and posted by the bot once."""

from typing import Any

from sqlmodel import Session, col, select, update

from store.session import insert_ignoring
from store.tables import OutboxMessage, now
from store.words import OutboxState

MOST_ATTEMPTS = 10


def owe(session: Session, key: str, kind: str, payload: dict[str, Any]) -> bool:
    """Owe a message to Slack; False when one with this key is owed or sent already."""
    return insert_ignoring(session, OutboxMessage, {"key": key, "kind": kind, "payload": payload})


def waiting(session: Session, limit: int) -> list[OutboxMessage]:
    """The messages still owed, oldest first."""
    return list(
        session.exec(
            select(OutboxMessage)
            .where(OutboxMessage.state == OutboxState.WAITING)
            .order_by(col(OutboxMessage.id))
            .limit(limit)
        )
    )


def by_key(session: Session, key: str) -> OutboxMessage | None:
    """The message with this key, owed or sent."""
    return session.exec(select(OutboxMessage).where(OutboxMessage.key == key)).first()


def begin_attempt(session: Session, message_id: int) -> int:
    """Count an attempt before it is made; the number of it. From the second on, the message may be there already."""
    session.exec(
        update(OutboxMessage)
        .where(col(OutboxMessage.id) == message_id)
        .values(attempts=col(OutboxMessage.attempts) + 1)
    )
    return session.exec(select(OutboxMessage.attempts).where(OutboxMessage.id == message_id)).one()


def sent(session: Session, message_id: int, channel_id: str, message_ts: str) -> None:
    """The message stands in Slack."""
    session.exec(
        update(OutboxMessage)
        .where(col(OutboxMessage.id) == message_id)
        .values(state=OutboxState.SENT, channel_id=channel_id, message_ts=message_ts, error="", sent_at=now())
    )


def failed(session: Session, message_id: int, attempts: int, error: str) -> bool:
    """Note why an attempt failed; False when there will be no other."""
    last = attempts >= MOST_ATTEMPTS
    session.exec(
        update(OutboxMessage)
        .where(col(OutboxMessage.id) == message_id)
        .values(error=error, state=OutboxState.FAILED if last else OutboxState.WAITING)
    )
    return not last


def annotate(session: Session, key: str, facts: dict[str, Any]) -> None:
    """Add facts to what is known of a message, such as who decided to hold."""
    message = by_key(session, key)
    if message is not None:
        message.payload = message.payload | facts
