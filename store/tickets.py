"""Tickets and their transcripts: one Slack thread that asks for help, and what was said in it."""

from dataclasses import dataclass

from sqlmodel import Session, col, select, update

from store import proposals
from store.channels import settings_of
from store.session import insert_ignoring
from store.tables import Answer, Message, Ticket, now
from store.words import DeliveryState, ReviewState, Role, Surface, TicketStatus, Visibility


@dataclass(frozen=True)
class Question:
    """A message that the bot is asked to answer.

    `key` is the same for every delivery of the same question; `response_url` is where a private answer goes, empty
    when the answer belongs into the thread.
    """

    key: str
    team_id: str
    channel_id: str
    thread_ts: str
    ts: str
    person_id: str
    text: str
    surface: Surface
    visibility: Visibility
    enterprise_id: str = ""
    response_url: str = ""


def of_thread(session: Session, team_id: str, channel_id: str, thread_ts: str) -> Ticket | None:
    """The ticket of a thread."""
    return session.exec(
        select(Ticket).where(Ticket.team_id == team_id, Ticket.channel_id == channel_id, Ticket.thread_ts == thread_ts)
    ).first()


def open_ticket(session: Session, question: Question) -> Ticket:
    """The ticket of the question's thread, made with its first question; its channel says whether it may be learnt."""
    values = Ticket(
        enterprise_id=question.enterprise_id,
        team_id=question.team_id,
        channel_id=question.channel_id,
        thread_ts=question.thread_ts,
        asker_id=question.person_id,
        surface=question.surface,
        visibility=question.visibility,
        trainable=settings_of(session, question.team_id, question.channel_id).trainable,
        question=question.text,
    ).model_dump(exclude={"id"})
    insert_ignoring(session, Ticket, values)
    ticket = of_thread(session, question.team_id, question.channel_id, question.thread_ts)
    if ticket is None:
        raise RuntimeError("a ticket that was just stored is not there")
    return ticket


@dataclass(frozen=True)
class Line:
    """One message of a thread, to be kept in our transcript."""

    ts: str
    person_id: str
    role: Role
    text: str


def add_line(session: Session, ticket_id: int, line: Line) -> None:
    """Add a message to the transcript; a message that is there already stays as it is."""
    message = Message(ticket_id=ticket_id, ts=line.ts, person_id=line.person_id, role=line.role, text=line.text)
    insert_ignoring(session, Message, message.model_dump(exclude={"id"}))


def delete_line(session: Session, ticket_id: int, ts: str) -> None:
    """Take a message out of the transcript."""
    session.exec(update(Message).where(col(Message.ticket_id) == ticket_id, col(Message.ts) == ts).values(deleted=True))


def put_line(session: Session, ticket_id: int, line: Line) -> None:
    """Write a message of ours into the transcript, over what stood in its place before."""
    add_line(session, ticket_id, line)
    session.exec(
        update(Message)
        .where(col(Message.ticket_id) == ticket_id, col(Message.ts) == line.ts)
        .values(text=line.text, deleted=False)
    )


def transcript(session: Session, ticket_id: int, limit: int | None = None) -> list[Message]:
    """The last `limit` messages of a ticket in their order, without the deleted ones."""
    newest = (
        select(Message)
        .where(Message.ticket_id == ticket_id, col(Message.deleted).is_(False))
        .order_by(col(Message.ts).desc())
        .limit(limit)
    )
    return list(reversed(session.exec(newest).all()))


def set_visibility(session: Session, ticket_id: int, visibility: Visibility) -> None:
    """Record who can read the thread, once it is known."""
    session.exec(update(Ticket).where(col(Ticket.id) == ticket_id).values(visibility=visibility))


def set_status(session: Session, ticket_id: int, status: TicketStatus) -> None:
    """Record how far a ticket has come; one that was withdrawn stays so."""
    session.exec(
        update(Ticket)
        .where(col(Ticket.id) == ticket_id, col(Ticket.status) != TicketStatus.WITHDRAWN)
        .values(status=status, updated_at=now())
    )


def answered(session: Session, ticket_id: int) -> None:
    """An answer stands. A ticket that waits for a human goes on waiting, and one that was withdrawn stays so."""
    session.exec(
        update(Ticket)
        .where(
            col(Ticket.id) == ticket_id,
            col(Ticket.status).not_in([TicketStatus.WITHDRAWN, TicketStatus.ESCALATED]),
        )
        .values(status=TicketStatus.ANSWERED, resolved_by="", updated_at=now())
    )


def is_private(ticket: Ticket) -> bool:
    """Whether only the asker sees the answers: asked by a command and not shared since."""
    return ticket.surface == Surface.COMMAND and ticket.visibility == Visibility.DIRECT


def line_in_channel(session: Session, team_id: str, channel_id: str, ts: str) -> tuple[Ticket, Message] | None:
    """A message of our transcripts by its place in Slack, with its ticket."""
    return session.exec(
        select(Ticket, Message)
        .join(Message, col(Message.ticket_id) == col(Ticket.id))
        .where(Ticket.team_id == team_id, Ticket.channel_id == channel_id, Message.ts == ts)
    ).first()


def says_the_same(text: str, other: str) -> bool:
    """Whether two texts differ in white space at most."""
    return text.split() == other.split()


def edit(session: Session, team_id: str, channel_id: str, line: Line) -> tuple[Ticket, Message] | None:
    """Take an edited message over into the transcript and, where it opened the ticket, into the question.

    None when it says the same as before, or was written by somebody else.
    """
    found = line_in_channel(session, team_id, channel_id, line.ts)
    if found is None or found[1].person_id != line.person_id or says_the_same(found[1].text, line.text):
        return None
    ticket, message = found
    message.text = line.text
    if ticket.thread_ts == line.ts:
        ticket.question, ticket.updated_at = line.text, now()
    proposals.follow(session, ticket.id or 0)
    return found


def withdraw(session: Session, team_id: str, channel_id: str, ts: str) -> list[Answer]:
    """A message was deleted: it leaves the transcript, and the answers to it are withdrawn.

    When it opened the ticket, the ticket is withdrawn as well and never learnt from. Returns the answers that were
    withdrawn, so that their messages can be deleted.
    """
    found = line_in_channel(session, team_id, channel_id, ts)
    if found is None:
        return []
    ticket, message = found
    message.deleted = True
    if ticket.thread_ts == ts:
        ticket.status, ticket.trainable, ticket.updated_at = TicketStatus.WITHDRAWN, False, now()
        settled = {"review_state": ReviewState.SETTLED}
        session.exec(update(Answer).where(col(Answer.ticket_id) == ticket.id).values(**settled))
    answers = session.exec(select(Answer).where(Answer.ticket_id == ticket.id, Answer.question_ts == ts)).all()
    for answer in answers:
        answer.state = DeliveryState.WITHDRAWN
        delete_line(session, answer.ticket_id, answer.message_ts)
    proposals.follow(session, ticket.id or 0)
    return list(answers)
