"""Who is a reviewer and who is an admin: those that the settings name, and those that an admin named in Slack."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from store.errors import BadInput
from store.settings import Settings
from store.tables import DutyGrant
from store.words import Duty


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


def grant(session: Session, person_id: str, duty: Duty, granted_by: str) -> None:
    """Give a person a duty; another one that they were given before is replaced.

    Raises:
        BadInput: no person is named.
    """
    if not person_id:
        raise BadInput("Choose a person.")
    session.merge(DutyGrant(person_id=person_id, duty=duty, granted_by=granted_by))


def revoke(session: Session, settings: Settings, person_id: str) -> None:
    """Take back what an admin gave to a person.

    Raises:
        BadInput: the settings name this person, so only the settings can take it back; or nothing was given.
    """
    if person_id in {*settings.admins, *settings.reviewers}:
        raise BadInput(f"<@{person_id}> is named in the settings file, so it has to be taken back there.")
    found = session.get(DutyGrant, person_id)
    if found is None:
        raise BadInput(f"<@{person_id}> was given nothing that could be taken back.")
    session.delete(found)
