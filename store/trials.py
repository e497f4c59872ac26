"""Trials: for an hour an admin's own direct messages are answered by a version that is not in production."""

from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from store import adapters, audit
from store.audit import Act
from store.errors import BadInput
from store.tables import Trial, now
from store.words import AdapterState, AuditAction

LASTS = timedelta(hours=1)


def start(session: Session, person_id: str, name: str) -> Trial:
    """Have a person's direct messages answered by a version from now on; one that they tried before is left.

    Raises:
        NotFound: there is no such version.
        BadInput: it was rejected, so it may be damaged or unwanted.
    """
    if adapters.get(session, name).state == AdapterState.REJECTED:
        raise BadInput(f"Version {name} was rejected and cannot be tried.")
    audit.note(session, Act(AuditAction.TRY, person_id, f"adapter {name}"))
    return session.merge(Trial(person_id=person_id, adapter=name, until=now() + LASTS))


def stop(session: Session, person_id: str) -> bool:
    """End a person's trial; False when there was none (any more)."""
    gone = delete(Trial).where(col(Trial.person_id) == person_id).returning(col(Trial.until), col(Trial.adapter))
    ended = [adapter for until, adapter in session.exec(gone) if until > now()]
    for adapter in ended:
        audit.note(session, Act(AuditAction.STOP_TRYING, person_id, f"adapter {adapter}"))
    return bool(ended)


def of(session: Session, person_id: str, at: datetime | None = None) -> Trial | None:
    """The version that a person is trying, unless the hour is over or the version was rejected meanwhile."""
    trial = session.get(Trial, person_id)
    if trial is None or trial.until <= (at or now()):
        return None
    return None if adapters.get(session, trial.adapter).state == AdapterState.REJECTED else trial


def under_way(session: Session) -> set[str]:
    """The names of the versions that somebody is trying now."""
    return set(session.exec(select(Trial.adapter).where(col(Trial.until) > now())))
