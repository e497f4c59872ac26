"""Leases: who may do a piece of work, fenced by a token that grows with each holder."""

from datetime import timedelta

from sqlmodel import Session, col, select, update

from store.session import insert_ignoring
from store.tables import Lease, now

NIGHT = "night"
"""The lease of whoever works on a night."""


def acquire(session: Session, name: str, holder: str, seconds: float) -> int | None:
    """Take or renew a lease; the fencing token when it is ours, None when another holds it."""
    until = now() + timedelta(seconds=seconds)
    if insert_ignoring(session, Lease, {"name": name, "holder": holder, "token": 1, "until": until}):
        return 1
    renewed = session.exec(
        update(Lease)
        .where(col(Lease.name) == name, col(Lease.holder) == holder, col(Lease.until) > now())
        .values(until=until)
    )
    if not renewed.rowcount:
        taken = session.exec(
            update(Lease)
            .where(col(Lease.name) == name, col(Lease.until) <= now())
            .values(holder=holder, token=Lease.token + 1, until=until)
        )
        if not taken.rowcount:
            return None
    return session.exec(select(Lease.token).where(Lease.name == name)).one()


def holds(session: Session, name: str, token: int) -> bool:
    """Whether the holder with this token still has the lease: a stale one must not commit.

    The row stays locked until the transaction ends, so nobody can take the lease over in between.
    """
    row = session.get(Lease, name, with_for_update=True)
    return row is not None and row.token == token and row.until > now()


def is_held(session: Session, name: str) -> bool:
    """Whether anybody has the lease now."""
    row = session.get(Lease, name)
    return row is not None and row.until > now()


def release(session: Session, name: str, token: int) -> None:
    """Give a lease back so that the next one need not wait for its end."""
    session.exec(update(Lease).where(col(Lease.name) == name, col(Lease.token) == token).values(until=now()))
