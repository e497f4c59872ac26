"""Who is a reviewer and who is an admin: those that the settings name, and those that an admin named in Slack."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from store import audit
from store.audit import Act
from store.errors import BadInput
from store.settings import Settings
from store.tables import DutyGrant
from store.words import AuditAction, Duty


@dataclass(frozen=True)
class Duties:
    """The Slack ids of the reviewers and of the admins; admins are among the reviewers."""

    reviewers: frozenset[str]
    admins: frozenset[str]


def duties(session: Session, settings: Settings) -> Duties:
    """Who may do what at this moment."""
    granted: dict[Duty, set[str]] = {duty: set() for duty in Duty}
    for grant in session.exec(select(DutyGrant)):
        granted[grant.duty].add(grant.person_id)
    admins = frozenset({*settings.admins, *granted[Duty.ADMIN]} - {""})
    return Duties(frozenset({*settings.reviewers, *granted[Duty.REVIEWER], *admins} - {""}), admins)


def grants(session: Session) -> list[DutyGrant]:
    """What admins gave in Slack, the oldest first."""
    return list(session.exec(select(DutyGrant).order_by(col(DutyGrant.created_at), col(DutyGrant.person_id))))


def grant(session: Session, settings: Settings, person_id: str, duty: Duty, granted_by: str) -> None:
    """Give a person a duty; another one that they were given before is replaced.

    Raises:
        BadInput: no person is named, the settings make them an admin, or the only admin would become a reviewer.
    """
    if not person_id:
        raise BadInput("Choose a person.")
    if duty == Duty.REVIEWER and person_id in settings.admins:
        raise BadInput("This person is named as admin in the settings file, so that has to be changed there.")
    _queue_up(session)
    before = duties(session, settings).admins
    session.merge(DutyGrant(person_id=person_id, duty=duty, granted_by=granted_by))
    session.flush()
    audit.note(session, Act(AuditAction.GRANT, granted_by, person=person_id, details={"duty": duty}))
    _keep_an_admin(session, settings, before)


def revoke(session: Session, settings: Settings, person_id: str, revoked_by: str) -> None:
    """Take back what an admin gave to a person.

    Raises:
        BadInput: the settings name this person, so only the settings can take it back; nothing was given; or
            no admin would be left.
    """
    _queue_up(session)
    if person_id in {*settings.admins, *settings.reviewers}:
        raise BadInput("This person is named in the settings file, so it has to be taken back there.")
    found = session.get(DutyGrant, person_id)
    if found is None:
        raise BadInput("This person was given nothing that could be taken back.")
    before = duties(session, settings).admins
    session.delete(found)
    session.flush()
    audit.note(session, Act(AuditAction.REVOKE, revoked_by, person=person_id, details={"duty": found.duty}))
    _keep_an_admin(session, settings, before)


def _queue_up(session: Session) -> None:
    # Two admins who take each other's duty back at the same moment must not both succeed: the second one waits here
    # on Postgres; SQLite has one writer anyway.
    session.exec(select(DutyGrant).with_for_update()).all()


def _keep_an_admin(session: Session, settings: Settings, before: frozenset[str]) -> None:
    if before and not duties(session, settings).admins:
        raise BadInput("That would leave nobody as admin. Make somebody else an admin first.")
