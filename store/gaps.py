"""Knowledge gaps: what the documents do not say, clustered by question, with the tickets that asked for it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from store import answers, near_groups, outbox, votes
from store.errors import BadInput, NotFound
from store.session import insert_ignoring
from store.tables import Answer, KnowledgeGap, KnowledgeGapTicket, Review, Ticket, now
from store.words import Cause, GapState, TicketStatus, Verdict, Visibility, VoteValue

KIND = "knowledge_gap"
COUNTED_ONE_BY_ONE = 10
"""Past so many tickets only every tenth changes the message, so that a rush of questions is no rush of edits."""


@dataclass(frozen=True)
class Gap:
    """A gap with its tickets, the newest first, and what reviewers said about it, by the reviewer's id."""

    row: KnowledgeGap
    tickets: list[Ticket]
    right_answers: dict[str, str]


def heard(session: Session, answer: Answer) -> None:
    """Count a new question where it asks for what is known to be missing."""
    gap = _open_near(session, answer)
    if gap is None or not _link(session, gap.id or 0, answer.ticket_id):
        return
    asked = _count(session, gap.id or 0)
    if asked <= COUNTED_ONE_BY_ONE or asked % COUNTED_ONE_BY_ONE == 0:
        outbox.owe(session, f"gap-{gap.id}-asked-{asked}", KIND, {"gap_id": gap.id})


def decided(session: Session, review: Review) -> None:
    """A decision was made or taken back: if it says that knowledge is missing, the gaps are to follow it."""
    if review.cause == Cause.KNOWLEDGE:
        outbox.owe(session, f"gap-{review.batch}-{uuid.uuid4().hex[:8]}", KIND, {"answer_id": review.answer_id})


def file_answer(session: Session, answer_id: int, owners: Mapping[str, str]) -> list[int]:
    """Put an answer's ticket under its gap, or take it out again, as the decisions on it say; the gaps that changed.

    `owners` is who looks after a document, by its source.
    """
    answer, ticket = answers.with_ticket(session, answer_id)
    ticket_id = ticket.id or 0
    missing = _lacks_knowledge(session, ticket)
    present = [gap.id or 0 for gap in _open_of(session, ticket_id)]
    if not missing:
        for gap_id in present:
            _unlink(session, gap_id, ticket_id)
        return present
    if present:
        return present
    gap = _open_near(session, answer) or _open(session, answer, ticket, owners)
    for asking in {ticket_id, *_near_duplicates(session, answer)}:
        _link(session, gap.id or 0, asking)
    return [gap.id or 0]


def get(session: Session, gap_id: int) -> Gap:
    """A gap with all that is shown of it.

    Raises:
        NotFound: there is none.
    """
    row = session.get(KnowledgeGap, gap_id)
    if row is None:
        raise NotFound("That gap does not exist any more.")
    asked = session.exec(
        select(Ticket)
        .join(KnowledgeGapTicket, col(KnowledgeGapTicket.ticket_id) == col(Ticket.id))
        .where(KnowledgeGapTicket.gap_id == gap_id, Ticket.status != TicketStatus.WITHDRAWN)
        .order_by(col(Ticket.created_at).desc(), col(Ticket.id).desc())
    ).all()
    return Gap(row, list(asked), _right_answers(session, gap_id))


def posted(session: Session, gap_id: int, channel_id: str, message_ts: str) -> None:
    """The gap's message stands in Slack."""
    gap = get(session, gap_id).row
    gap.channel_id, gap.message_ts = channel_id, message_ts


def close(session: Session, gap_id: int, person_id: str) -> KnowledgeGap:
    """Somebody has written down what was missing.

    Raises:
        BadInput: it is closed already; the message says by whom.
    """
    gap = get(session, gap_id).row
    if gap.state == GapState.CLOSED:
        raise BadInput(f"<@{gap.closed_by}> has written this down already." if gap.closed_by else "This is closed.")
    gap.state, gap.closed_by, gap.updated_at = GapState.CLOSED, person_id, now()
    return gap


def reopen(session: Session, gap_id: int) -> KnowledgeGap:
    """It is missing after all.

    Raises:
        BadInput: it is open already.
    """
    gap = get(session, gap_id).row
    if gap.state == GapState.OPEN:
        raise BadInput("This is open already.")
    gap.state, gap.closed_by, gap.updated_at = GapState.OPEN, "", now()
    return gap


def is_public(ticket: Ticket) -> bool:
    """Whether a ticket's words may be shown to whoever writes documents."""
    return ticket.visibility == Visibility.PUBLIC


def _lacks_knowledge(session: Session, ticket: Ticket) -> bool:
    if ticket.status == TicketStatus.WITHDRAWN:
        return False
    given = session.exec(
        select(Review)
        .join(Answer, col(Answer.id) == col(Review.answer_id))
        .where(Answer.ticket_id == ticket.id, Review.cause == Cause.KNOWLEDGE)
    )
    return any(review.verdict != Verdict.ACCEPTED or _voted_down(session, review.answer_id) for review in given)


def _voted_down(session: Session, answer_id: int) -> bool:
    return any(vote.value == VoteValue.DOWN for vote in votes.of_answer(session, answer_id))


def _open_near(session: Session, answer: Answer) -> KnowledgeGap | None:
    """The open gap of the questions that are near to this one."""
    if answer.near_group is None:
        return None
    near = select(KnowledgeGap).where(KnowledgeGap.near_group == answer.near_group, KnowledgeGap.state == GapState.OPEN)
    return session.exec(near.order_by(col(KnowledgeGap.id))).first()


def _open_of(session: Session, ticket_id: int) -> list[KnowledgeGap]:
    return list(
        session.exec(
            select(KnowledgeGap)
            .join(KnowledgeGapTicket, col(KnowledgeGapTicket.gap_id) == col(KnowledgeGap.id))
            .where(KnowledgeGapTicket.ticket_id == ticket_id, KnowledgeGap.state == GapState.OPEN)
        )
    )


def _open(session: Session, answer: Answer, ticket: Ticket, owners: Mapping[str, str]) -> KnowledgeGap:
    gap = KnowledgeGap(question=ticket.question, near_group=answer.near_group, owner_id=_owner(answer, owners))
    session.add(gap)
    session.flush()
    return gap


def _owner(answer: Answer, owners: Mapping[str, str]) -> str:
    sources = (str(passage.get("source") or "") for passage in answer.passages)
    return next((owners[source] for source in sources if source in owners), "")


def _near_duplicates(session: Session, answer: Answer) -> list[int]:
    """The tickets that asked nearly the same."""
    return list(session.exec(select(Answer.ticket_id).where(near_groups.same_group(answer)).distinct()))


def _link(session: Session, gap_id: int, ticket_id: int) -> bool:
    return insert_ignoring(session, KnowledgeGapTicket, {"gap_id": gap_id, "ticket_id": ticket_id})


def _unlink(session: Session, gap_id: int, ticket_id: int) -> None:
    session.delete(session.get_one(KnowledgeGapTicket, (gap_id, ticket_id)))
    session.flush()
    gap = session.get_one(KnowledgeGap, gap_id)
    # A gap that no decision speaks of any more was none, whoever else asked.
    left = session.exec(select(Ticket).join(KnowledgeGapTicket).where(KnowledgeGapTicket.gap_id == gap_id)).all()
    if not any(_lacks_knowledge(session, ticket) for ticket in left):
        gap.state, gap.closed_by, gap.updated_at = GapState.CLOSED, "", now()


def _count(session: Session, gap_id: int) -> int:
    return session.exec(
        select(func.count()).select_from(KnowledgeGapTicket).where(KnowledgeGapTicket.gap_id == gap_id)
    ).one()


def _right_answers(session: Session, gap_id: int) -> dict[str, str]:
    rows = session.exec(
        select(Review.reviewer_id, Review.correction)
        .join(Answer, col(Answer.id) == col(Review.answer_id))
        .join(Ticket, col(Ticket.id) == col(Answer.ticket_id))
        .join(KnowledgeGapTicket, col(KnowledgeGapTicket.ticket_id) == col(Ticket.id))
        .where(
            KnowledgeGapTicket.gap_id == gap_id,
            Review.verdict == Verdict.CORRECTED,
            Ticket.visibility == Visibility.PUBLIC,
        )
        .order_by(col(Review.updated_at))
    )
    return dict(rows.all())
