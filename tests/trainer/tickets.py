"""Reviewed tickets for the night's tests, made in a line each."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from store.prompt import question_messages
from store.session import Store
from store.tables import Answer, Message, Review, Ticket, Vote, now
from store.words import DeliveryState, Role, Surface, TicketStatus, Verdict, Visibility, VoteValue

SYSTEM = "You are the support assistant of our company. Answer briefly and correctly."


def add_unreviewed(
    session: Session,
    question: str,
    answer: str,
    *,
    asker: str = "U0ANA000001",
    ticket: Ticket | None = None,
    place: dict[str, Any] | None = None,
    **changes: Any,
) -> Answer:
    """Store a ticket with one answer that nobody has reviewed; `place` are columns of the ticket, `changes` of it."""
    number = _next(session)
    if ticket is None:
        ticket = Ticket(
            team_id="T0LOCAL0001",
            channel_id="C0SUPPORT01",
            thread_ts=f"17000000{number:06}.000100",
            asker_id=asker,
            surface=Surface.MENTION,
            question=question,
            **{"visibility": Visibility.PUBLIC, "status": TicketStatus.ANSWERED, **(place or {})},
        )
        session.add(ticket)
        session.flush()
    assert ticket.id is not None
    session.add(Message(ticket_id=ticket.id, ts=f"{number}.1", person_id=asker, role=Role.ASKER, text=question))
    row = Answer(
        ticket_id=ticket.id,
        event_id=f"Ev{number}",
        question_ts=f"{number}.1",
        messages=[dict(turn) for turn in question_messages(SYSTEM, question)],
        text=answer,
        **{"state": DeliveryState.DELIVERED, **changes},
    )
    session.add(row)
    session.flush()
    return row


def cast(session: Session, answer: Answer, person: str, value: VoteValue, at: datetime | None = None) -> None:
    """Store one person's opinion of an answer."""
    assert answer.id is not None
    moment = at or now()
    session.add(Vote(answer_id=answer.id, person_id=person, value=value, created_at=moment, updated_at=moment))
    session.flush()


def add_reviewed(
    session: Session,
    question: str,
    answer: str = "Ask the desk on extension 212.",
    *,
    correction: str | None = None,
    verdict: Verdict | None = None,
    visibility: Visibility = Visibility.PUBLIC,
    trainable: bool = True,
    status: TicketStatus = TicketStatus.ANSWERED,
    asker: str = "U0ANA000001",
    reviewed_at: datetime | None = None,
    ticket: Ticket | None = None,
) -> Answer:
    """Store a ticket with one answer and one review of it; a `correction` makes the verdict `corrected`."""
    place = {"visibility": visibility, "trainable": trainable, "status": status}
    row = add_unreviewed(session, question, answer, asker=asker, ticket=ticket, place=place)
    assert row.id is not None
    decided = verdict or (Verdict.CORRECTED if correction is not None else Verdict.ACCEPTED)
    review(session, row, decided, correction or "", at=reviewed_at)
    return row


def review(
    session: Session,
    answer: Answer,
    verdict: Verdict,
    correction: str = "",
    *,
    reviewer: str = "U0RAVI00001",
    at: datetime | None = None,
) -> None:
    """Store one reviewer's decision."""
    assert answer.id is not None
    moment = at or now()
    session.add(
        Review(
            answer_id=answer.id,
            reviewer_id=reviewer,
            verdict=verdict,
            correction=correction,
            created_at=moment,
            updated_at=moment,
        )
    )
    session.flush()


def add_distinct(store: Store, count: int, first: int = 0) -> None:
    """Store `count` accepted tickets about different things; the question ends with what the answer must say."""
    with store.writing() as session:
        for number in range(first, first + count):
            device = hashlib.sha256(str(number).encode()).hexdigest()[:20]
            answer = f"The desk helps; dial {1000 + number}."
            add_reviewed(session, f"Who mends {device} number {number}?", answer, reviewed_at=now() - timedelta(days=1))


def _next(session: Session) -> int:
    from sqlmodel import func, select

    return session.exec(select(func.count()).select_from(Answer)).one() + 1
