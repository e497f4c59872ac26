"""People: what each chose about learning and notices, and how much is stored about them."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, SQLModel, col, func, or_, select, update

from store import audit
from store.audit import Act
from store.session import insert_ignoring
from store.settings import Settings
from store.tables import Answer, DatasetRow, Message, Person, Review, Ticket, Vote, now
from store.words import AuditAction, Split


@dataclass(frozen=True)
class Kept:
    """How much is stored about one person; `learnt` is how many of their tickets are in a training set."""

    questions: int
    messages: int
    votes: int
    reviews: int
    learnt: int


def get(session: Session, team_id: str, person_id: str) -> Person:
    """What a person chose; the defaults while they have chosen nothing."""
    return session.get(Person, (team_id, person_id)) or Person(team_id=team_id, person_id=person_id)


def set_learning(session: Session, team_id: str, person_id: str, *, opted_out: bool) -> None:
    """Leave a person's tickets out of learning, or let them in again."""
    _change(session, team_id, person_id, learning_opt_out=opted_out)
    audit.note(session, Act(AuditAction.OPT_OUT if opted_out else AuditAction.OPT_IN, person_id))


def set_fix_notices(session: Session, team_id: str, person_id: str, *, wanted: bool) -> None:
    """Whether a person is told when a version fixes what they complained about."""
    _change(session, team_id, person_id, fix_notices=wanted)


def _change(session: Session, team_id: str, person_id: str, **chosen: bool) -> None:
    insert_ignoring(session, Person, {"team_id": team_id, "person_id": person_id})
    session.exec(_of(team_id, person_id).values(**chosen, updated_at=now()))


def notice(session: Session, team_id: str, person_id: str) -> bool:
    """Note that a person is told what is stored and learnt; True the first time only."""
    if get(session, team_id, person_id).noticed_at is not None:
        return False
    insert_ignoring(session, Person, {"team_id": team_id, "person_id": person_id})
    first = session.exec(_of(team_id, person_id).where(col(Person.noticed_at).is_(None)).values(noticed_at=now()))
    return bool(first.rowcount)


def _of(team_id: str, person_id: str) -> Any:
    return update(Person).where(col(Person.team_id) == team_id, col(Person.person_id) == person_id)


def opted_out(session: Session, settings: Settings) -> set[str]:
    """The Slack ids of the people whose tickets are never learnt: named in the settings, or by their own choice."""
    chosen = session.exec(select(Person.person_id).where(col(Person.learning_opt_out).is_(True)))
    return {*settings.night.opted_out, *chosen}


def kept(session: Session, person_id: str) -> Kept:
    """How much is stored about a person."""
    wrote = select(Message.ticket_id).where(Message.person_id == person_id)
    theirs = or_(col(Ticket.asker_id) == person_id, col(Ticket.id).in_(wrote))
    learnt = (
        select(func.count(col(DatasetRow.ticket_id).distinct()))
        .join(Ticket, col(Ticket.id) == col(DatasetRow.ticket_id))
        .where(DatasetRow.split == Split.TRAIN, theirs)
    )
    asked = select(func.count(col(Answer.id))).join(Ticket).where(Ticket.asker_id == person_id)
    return Kept(
        questions=session.exec(asked).one(),
        messages=_count(session, Message, Message.person_id == person_id),
        votes=_count(session, Vote, Vote.person_id == person_id),
        reviews=_count(session, Review, Review.reviewer_id == person_id),
        learnt=session.exec(learnt).one(),
    )


def _count(session: Session, table: type[SQLModel], condition: Any) -> int:
    return session.exec(select(func.count()).select_from(table).where(condition)).one()
