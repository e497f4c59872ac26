"""Nights: what is asked of them, what is due, and how far each has come."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from store import audit
from store.audit import Act
from store.errors import BadInput, NotFound
from store.session import insert_ignoring
from store.tables import Night, NightStage, now
from store.words import AuditAction, NightState, Stage, StageState

RETRY_DELAYS = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
"""How long a failed stage waits for its next attempt; after the last one the night waits for a person."""

GOES_ON_WITHIN = timedelta(days=1)
"""How long a night that failed or was cancelled may still be gone on with; later, a new one is begun."""


def request(session: Session, person_id: str) -> Night:
    """Ask for a night by hand, or for the one that was just cancelled again; the scheduler starts it within seconds.

    Raises:
        BadInput: one is asked for or running already.
    """
    if session.exec(select(Night.id).where(_open_states())).first() is not None:
        raise BadInput("A night is asked for or running already: wait for its card, then ask again.")
    cancelled = latest(session)
    if cancelled is not None and cancelled.state is NightState.CANCELLED and may_go_on(cancelled):
        cancelled.state, cancelled.requested_by, cancelled.cancelled_by = NightState.REQUESTED, person_id, ""
        forgive(session, _id(cancelled))
        session.add(cancelled)
        audit.note(session, Act(AuditAction.REQUEST_NIGHT, person_id, f"night {cancelled.key}"))
        return cancelled
    today = f"{now():%Y-%m-%d}"
    number = session.exec(select(func.count()).where(col(Night.key).startswith(f"{today}-"))).one() + 1
    key = f"{today}-{number}"
    values = {"key": key, "requested_by": person_id, "state": NightState.REQUESTED, "outcome": "", "created_at": now()}
    if not insert_ignoring(session, Night, values):
        raise BadInput("Somebody asked for a night at the same moment: wait for its card.")
    audit.note(session, Act(AuditAction.REQUEST_NIGHT, person_id, f"night {key}"))
    return session.exec(select(Night).where(Night.key == key)).one()


def may_go_on(night: Night) -> bool:
    """Whether a night that failed or was cancelled is fresh enough to be gone on with."""
    return now() - night.created_at < GOES_ON_WITHIN


def cancel(session: Session, person_id: str) -> Night:
    """End the night that is asked for or running, for a person: the former at once, the latter within seconds.

    Raises:
        BadInput: there is none, or somebody has cancelled it already.
    """
    if (night := unfinished(session)) is None:
        raise BadInput("No night is running: there is nothing to cancel.")
    if night.cancelled_by:
        raise BadInput(f"{night.cancelled_by} has cancelled this night already; it ends within seconds.")
    night.cancelled_by = person_id
    if night.state is NightState.REQUESTED:
        finish(session, _id(night), NightState.CANCELLED, f"Cancelled by {person_id} before it began.")
    session.add(night)
    audit.note(session, Act(AuditAction.CANCEL_NIGHT, person_id, f"night {night.key}"))
    return night


def plan(session: Session, on: date) -> None:
    """Make sure that the night of a date is planned; one that is there, in whatever state, is left alone."""
    if not is_known(session, on):
        values = {"key": on.isoformat(), "requested_by": "schedule", "state": NightState.SCHEDULED, "outcome": ""}
        insert_ignoring(session, Night, {**values, "created_at": now()})


def is_known(session: Session, on: date) -> bool:
    """Whether the night of a date is planned or has been."""
    return session.exec(select(Night.id).where(Night.key == on.isoformat())).first() is not None


def planned(session: Session) -> list[Night]:
    """The nights that wait for their date, earliest first."""
    return list(session.exec(select(Night).where(Night.state == NightState.SCHEDULED).order_by(col(Night.key))).all())


def unfinished(session: Session) -> Night | None:
    """The night that was interrupted, else the one asked for by hand, else None."""
    order = (col(Night.state) == NightState.REQUESTED, col(Night.id))
    return session.exec(select(Night).where(_open_states()).order_by(*order)).first()


def to_retry(session: Session, at: datetime) -> Night | None:
    """The latest night, if it failed and its next attempt is due; a night stopped by hand is not tried again."""
    night = latest(session)
    if night is None or night.state is not NightState.FAILED:
        return None
    failed = [stage for stage in stages(session, _id(night)) if stage.state is StageState.FAILED]
    if not failed or (moment := next_attempt(failed[-1])) is None or moment > at:
        return None
    return night


def next_attempt(stage: NightStage) -> datetime | None:
    """When a failed stage is tried again by itself; None when it has been tried often enough."""
    if stage.finished_at is None or not 1 <= stage.attempts <= len(RETRY_DELAYS):
        return None
    return stage.finished_at + RETRY_DELAYS[stage.attempts - 1]


def latest(session: Session) -> Night | None:
    """The newest night that has been asked for or begun."""
    return next(iter(recent(session, limit=1)), None)


def recent(session: Session, limit: int) -> list[Night]:
    """The newest nights that have been asked for or begun, newest first."""
    newest = col(Night.created_at).desc(), col(Night.id).desc()
    query = select(Night).where(Night.state != NightState.SCHEDULED).order_by(*newest).limit(limit)
    return list(session.exec(query).all())


def get(session: Session, night_id: int) -> Night:
    """The night with this id.

    Raises:
        NotFound: there is none.
    """
    if (night := session.get(Night, night_id)) is None:
        raise NotFound(f"There is no night {night_id}.")
    return night


def by_key(session: Session, key: str) -> Night:
    """The night with this key.

    Raises:
        NotFound: there is none.
    """
    if (night := session.exec(select(Night).where(Night.key == key)).first()) is None:
        raise NotFound(f"There is no night {key}; `nightschool nights` lists them.")
    return night


def stages(session: Session, night_id: int) -> list[NightStage]:
    """The steps that a night has begun, in their order."""
    rows = session.exec(select(NightStage).where(NightStage.night_id == night_id)).all()
    return sorted(rows, key=lambda row: list(Stage).index(row.stage))


def stage(session: Session, night_id: int, which: Stage) -> NightStage | None:
    """One step of a night, None if it has not begun."""
    query = select(NightStage).where(NightStage.night_id == night_id, NightStage.stage == which)
    return session.exec(query).first()


def begin(session: Session, night_id: int) -> None:
    """The night runs, for the first time or again."""
    night = get(session, night_id)
    if night.state is NightState.SCHEDULED:
        # It was planned a day ago: its history starts now.
        night.created_at = now()
    night.state, night.outcome, night.finished_at = NightState.RUNNING, "", None
    session.add(night)


def finish(session: Session, night_id: int, state: NightState, outcome: str) -> None:
    """The night has ended, for the reason that `outcome` gives in a sentence."""
    night = get(session, night_id)
    night.state, night.outcome, night.finished_at = state, outcome, now()
    session.add(night)


def begin_stage(session: Session, night_id: int, which: Stage) -> None:
    """Count one more attempt at a step."""
    row = stage(session, night_id, which) or NightStage(night_id=night_id, stage=which)
    row.state, row.error, row.started_at, row.finished_at = StageState.RUNNING, "", now(), None
    row.attempts += 1
    session.add(row)


def forgive(session: Session, night_id: int) -> None:
    """A person wants it tried again: the attempts at steps that are not done start from zero."""
    for row in stages(session, night_id):
        if row.state is not StageState.DONE:
            row.attempts = 0
            session.add(row)


def note(session: Session, night_id: int, which: Stage, result: dict[str, Any]) -> None:
    """Add to what is known of a running step, for those who watch."""
    row = _begun(session, night_id, which)
    row.result = {**row.result, **result}
    session.add(row)


def finish_stage(session: Session, night_id: int, which: Stage, state: StageState, error: str = "") -> None:
    """A step has ended; `error` says why it failed or declined."""
    row = _begun(session, night_id, which)
    row.state, row.error, row.finished_at = state, error, now()
    session.add(row)


def _begun(session: Session, night_id: int, which: Stage) -> NightStage:
    row = stage(session, night_id, which)
    if row is None:
        raise NotFound(f"Night {night_id} has not begun to {which}.")
    return row


def _id(night: Night) -> int:
    if night.id is None:
        raise NotFound(f"The night {night.key} has not been stored.")
    return night.id


def _open_states() -> Any:
    return col(Night.state).in_([NightState.REQUESTED, NightState.RUNNING])
