"""The inbox: Slack's events stored before they are acknowledged, claimed under a lease, done once.

A claim is a conditional UPDATE whose row count is checked, which behaves alike on SQLite and Postgres. A claim that
is not renewed runs out, and the event is done again by whoever claims it next.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlmodel import Session, and_, col, or_, select, update

from store.session import insert_ignoring
from store.tables import InboxEvent, now
from store.words import InboxState

MOST_ATTEMPTS = 6
LONGEST_BACKOFF_S = 300.0


@dataclass(frozen=True)
class Arrival:
    """Something to be done, as it came: its key (the same thing has the same key), kind, and Slack's payload."""

    id: str
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Claimant:
    """Who claims, and for how many seconds a claim holds without being renewed."""

    name: str
    lease_s: float


def keep(session: Session, arrivals: Sequence[Arrival], claimant: Claimant | None) -> list[InboxEvent | None]:
    """Store arrivals, claimed at once where a claimant is given; None for each one that is known already."""
    kept: list[InboxEvent | None] = []
    for arrival in arrivals:
        event = InboxEvent(id=arrival.id, kind=arrival.kind, body=arrival.body)
        if claimant is not None:
            event.state, event.attempts, event.claimed_by = InboxState.CLAIMED, 1, claimant.name
            event.lease_until = now() + timedelta(seconds=claimant.lease_s)
        kept.append(event if insert_ignoring(session, InboxEvent, event.model_dump()) else None)
    return kept


def claim(session: Session, claimant: Claimant, limit: int, holding: Collection[str] = ()) -> list[InboxEvent]:
    """Claim up to `limit` events that wait or whose claim ran out, oldest first, but none of those in `holding`."""
    moment = now()
    waiting = and_(
        col(InboxEvent.state) == InboxState.RECEIVED,
        or_(col(InboxEvent.lease_until).is_(None), col(InboxEvent.lease_until) <= moment),
    )
    abandoned = and_(col(InboxEvent.state) == InboxState.CLAIMED, col(InboxEvent.lease_until) <= moment)
    candidates = session.exec(
        select(InboxEvent.id)
        .where(or_(waiting, abandoned), col(InboxEvent.id).not_in(list(holding)))
        .order_by(col(InboxEvent.received_at))
        .limit(limit)
    ).all()
    claimed = []
    for event_id in candidates:
        taken = session.exec(
            update(InboxEvent)
            .where(col(InboxEvent.id) == event_id, or_(waiting, abandoned))
            .values(
                state=InboxState.CLAIMED,
                claimed_by=claimant.name,
                attempts=col(InboxEvent.attempts) + 1,
                lease_until=moment + timedelta(seconds=claimant.lease_s),
            )
        )
        if taken.rowcount:
            claimed.append(event_id)
    return list(
        session.exec(select(InboxEvent).where(col(InboxEvent.id).in_(claimed)).order_by(col(InboxEvent.received_at)))
    )


def renew(session: Session, claimant: Claimant, ids: Collection[str]) -> None:
    """Hold on to events that are still being worked on."""
    session.exec(
        update(InboxEvent)
        .where(col(InboxEvent.id).in_(list(ids)), col(InboxEvent.claimed_by) == claimant.name)
        .values(lease_until=now() + timedelta(seconds=claimant.lease_s))
    )


def claimants(session: Session) -> list[str]:
    """Everybody who holds a claim now."""
    claimed = select(InboxEvent.claimed_by).where(InboxEvent.state == InboxState.CLAIMED)
    return list(session.exec(claimed.distinct()))


def release(session: Session, names: Collection[str]) -> None:
    """End the claims of those who are known to be gone, without waiting for their leases to run out."""
    session.exec(
        update(InboxEvent)
        .where(col(InboxEvent.claimed_by).in_(list(names)), col(InboxEvent.state) == InboxState.CLAIMED)
        .values(lease_until=now())
    )


def finish(session: Session, event_id: str) -> None:
    """The event is done."""
    _close(session, event_id, InboxState.DONE, "")


def cancel(session: Session, event_id: str) -> None:
    """The event must not be worked on any more, if it has not been."""
    _close(session, event_id, InboxState.DONE, "cancelled")


def is_open(session: Session, event_id: str) -> bool:
    """Whether an event is known that nobody has finished yet."""
    found = session.get(InboxEvent, event_id)
    return found is not None and found.state in (InboxState.RECEIVED, InboxState.CLAIMED)


def _close(session: Session, event_id: str, state: InboxState, error: str) -> None:
    session.exec(
        update(InboxEvent)
        .where(col(InboxEvent.id) == event_id, col(InboxEvent.state).in_([InboxState.RECEIVED, InboxState.CLAIMED]))
        .values(state=state, error=error, done_at=now(), lease_until=None)
    )


def retry_later(session: Session, event_id: str, attempts: int, error: str) -> bool:
    """Put a failed event back, to be tried again after a growing pause; False when it was the last attempt."""
    if attempts >= MOST_ATTEMPTS:
        _close(session, event_id, InboxState.FAILED, error)
        return False
    pause = min(2.0**attempts, LONGEST_BACKOFF_S)
    _put_back(session, event_id, pause, error)
    return True


def hand_back(session: Session, event_id: str) -> None:
    """Put an event back that was interrupted by a shutdown, to be taken up at once by the next worker."""
    _put_back(session, event_id, 0.0, "")


def _put_back(session: Session, event_id: str, pause_s: float, error: str) -> None:
    session.exec(
        update(InboxEvent)
        .where(col(InboxEvent.id) == event_id, col(InboxEvent.state) == InboxState.CLAIMED)
        .values(state=InboxState.RECEIVED, lease_until=now() + timedelta(seconds=pause_s), error=error)
    )
