"""What becomes of a ticket beside its answers: a human is called, it is solved, it is open again after all."""

from dataclasses import dataclass

from sqlmodel import Session, col, select, update

from store import answers, proposals
from store.channels import settings_of
from store.errors import BadInput, NotAllowed
from store.tables import Message, Ticket, now
from store.words import Role, TicketStatus, Visibility


@dataclass(frozen=True)
class Call:
    """Whom a call for a human goes to; `first` is False when somebody was called before."""

    escalated_to: str
    first: bool


def on_call(session: Session, ticket: Ticket, fallback: str) -> str:
    """Who is called where a ticket was opened: the channel's user group or person, else `fallback`."""
    return settings_of(session, ticket.team_id, ticket.channel_id).on_call or fallback


def escalate(session: Session, ticket: Ticket, to: str) -> Call:
    """Hand a ticket over to a human, once; later calls only tell who was called.

    Raises:
        BadInput: the question was deleted.
    """
    _require_standing(ticket)
    changed = session.exec(
        update(Ticket)
        .where(col(Ticket.id) == ticket.id, col(Ticket.escalated_to) == "")
        .values(status=TicketStatus.ESCALATED, escalated_to=to, resolved_by="", updated_at=now())
    )
    session.refresh(ticket)
    proposals.follow(session, ticket.id or 0)
    return Call(ticket.escalated_to, bool(changed.rowcount))


def require_involved(session: Session, ticket: Ticket, person_id: str) -> None:
    """Let only the asker pass, and who has helped in the thread.

    Raises:
        NotAllowed: anyone else.
    """
    if person_id == ticket.asker_id:
        return
    helped = select(Message.id).where(
        Message.ticket_id == ticket.id,
        Message.person_id == person_id,
        Message.role == Role.HELPER,
        col(Message.deleted).is_(False),
    )
    if session.exec(helped.limit(1)).first() is None:
        raise NotAllowed(
            f"<@{ticket.asker_id}>, or someone who has helped in this thread, has to say whether this is solved."
        )


def solve(session: Session, ticket: Ticket, person_id: str) -> None:
    """A person who is involved says that the ticket is solved.

    Raises:
        NotAllowed: the person is not involved.
        BadInput: somebody has said so already, or the question was deleted.
    """
    require_involved(session, ticket, person_id)
    _require_standing(ticket)
    if ticket.resolved_by:
        raise BadInput(f"<@{ticket.resolved_by}> has marked this as solved already.")
    ticket.status, ticket.resolved_by, ticket.updated_at = TicketStatus.RESOLVED, person_id, now()


def unsolve(session: Session, ticket: Ticket, person_id: str) -> None:
    """A person who is involved says that the ticket is not solved after all.

    Raises:
        NotAllowed: the person is not involved.
        BadInput: nobody has said that it is solved, or the question was deleted.
    """
    require_involved(session, ticket, person_id)
    _require_standing(ticket)
    if not ticket.resolved_by:
        raise BadInput("This is open already.")
    ticket.status = TicketStatus.ESCALATED if ticket.escalated_to else TicketStatus.ANSWERED
    ticket.resolved_by, ticket.updated_at = "", now()


def share(session: Session, answer_id: int, visibility: Visibility, timestamps: list[str]) -> None:
    """A private question becomes a thread of its channel: `timestamps` are its first message and the answer's."""
    answer, ticket = answers.with_ticket(session, answer_id)
    root_ts, *shown_at = timestamps
    _move_line(session, ticket, ticket.thread_ts, root_ts)
    _move_line(session, ticket, private_line(answer.question_ts), shown_at[-1])
    ticket.thread_ts, ticket.visibility, ticket.updated_at = root_ts, visibility, now()
    answer.question_ts, answer.message_ts, answer.earlier_ts = root_ts, shown_at[-1], shown_at[:-1]


def private_line(question_ts: str) -> str:
    """The place of a private answer in the transcript: it has no ts of its own, so it follows its question."""
    return f"{question_ts}-answer"


def _move_line(session: Session, ticket: Ticket, ts: str, to: str) -> None:
    session.exec(update(Message).where(col(Message.ticket_id) == ticket.id, col(Message.ts) == ts).values(ts=to))


def _require_standing(ticket: Ticket) -> None:
    if ticket.status == TicketStatus.WITHDRAWN:
        raise BadInput("The question was deleted, so there is nothing to do any more.")
