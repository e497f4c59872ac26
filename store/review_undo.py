"""Taking decisions back: for ten minutes, by who made them, with everything that followed from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col, delete, select

from store import answers, approved, audit, contradictions, gaps, outbox, reviews, tickets
from store.audit import Act
from store.errors import BadInput, NotAllowed
from store.tables import Answer, DatasetRow, OutboxMessage, Review, Ticket, now
from store.words import AuditAction, OutboxState, ProposalState, TicketStatus, Verdict

UNDO = timedelta(minutes=10)
SHOWN = 3


@dataclass(frozen=True)
class Undoable:
    """Decisions made at once that can still be taken back."""

    batch: str
    verdict: Verdict
    answers: int
    question: str


def undoable(session: Session, reviewer_id: str) -> list[Undoable]:
    """What this reviewer can still take back, the newest first."""
    rows = session.exec(
        select(Review, Ticket.question)
        .join(Answer, col(Answer.id) == col(Review.answer_id))
        .join(Ticket, col(Ticket.id) == col(Answer.ticket_id))
        .where(Review.reviewer_id == reviewer_id, col(Review.created_at) > now() - UNDO, Review.batch != "")
        .order_by(col(Review.id))
    )
    batches: dict[str, list[tuple[Review, str]]] = {}
    for review, question in rows:
        batches.setdefault(review.batch, []).append((review, question))
    newest = list(batches.values())[: -SHOWN - 1 : -1]
    return [Undoable(made[0][0].batch, made[0][0].verdict, len(made), made[0][1]) for made in newest]


def undo(session: Session, batch: str, reviewer_id: str, second_opinion_share: float = 0.0) -> list[int]:
    """Take a whole batch of decisions back; the answers wait again. Their numbers, that of the first decision first.

    A correction that is not posted yet is owed no more; one that is posted is owed its withdrawal.

    Raises:
        NotAllowed: another reviewer made them.
        BadInput: they were taken back already, are older than ten minutes, or were learnt from meanwhile.
    """
    made = list(session.exec(select(Review).where(Review.batch == batch, Review.batch != "").order_by(col(Review.id))))
    _check(session, made, reviewer_id)
    ids = sorted(review.answer_id for review in made)
    session.exec(select(Answer.id).where(col(Answer.id).in_(ids)).order_by(col(Answer.id)).with_for_update()).all()
    for review in made:
        _take_back(session, review, second_opinion_share)
    return [review.answer_id for review in made]


def _check(session: Session, made: Sequence[Review], reviewer_id: str) -> None:
    if not made:
        raise BadInput("This decision was taken back already.")
    if made[0].reviewer_id != reviewer_id:
        raise NotAllowed("Only the reviewer who decided may take a decision back.")
    if made[0].created_at <= now() - UNDO:
        raise BadInput("A decision can be taken back for ten minutes, and they are over.")
    learnt = select(DatasetRow.id).where(col(DatasetRow.review_id).in_([review.id for review in made]))
    if session.exec(learnt.limit(1)).first() is not None:
        raise BadInput("The night has learnt from this decision already, so it cannot be taken back any more.")


def _take_back(session: Session, review: Review, second_opinion_share: float) -> None:
    answer, ticket = answers.with_ticket(session, review.answer_id)
    session.delete(review)
    session.flush()
    facts: dict[str, audit.Fact] = {"verdict": review.verdict, "batch": review.batch}
    audit.note(session, Act(AuditAction.UNDO_REVIEW, review.reviewer_id, f"answer {review.answer_id}", details=facts))
    left = reviews.of_answer(session, review.answer_id)
    if left:
        left[-1].status_before = left[-1].status_before or review.status_before
    elif review.status_before is not None and ticket.status == TicketStatus.RESOLVED:
        tickets.set_status(session, ticket.id or 0, review.status_before)
    if review.proposal_id is not None:
        reviews.set_proposal(session, review.proposal_id, ProposalState.USED, ProposalState.OPEN)
    _withdraw_correction(session, review)
    reviews.settle(session, answer, ticket, second_opinion_share)
    contradictions.undone(session, review)
    gaps.decided(session, review)
    approved.forget(session, review.id or 0)


def _withdraw_correction(session: Session, review: Review) -> None:
    key = reviews.correction_key(review)
    session.exec(
        delete(OutboxMessage).where(
            col(OutboxMessage.key) == key,
            col(OutboxMessage.state) == OutboxState.WAITING,
            col(OutboxMessage.attempts) == 0,
        )
    )
    if outbox.by_key(session, key) is not None:
        payload = {"key": key, "answer_id": review.answer_id, "reviewer_id": review.reviewer_id}
        outbox.owe(session, f"{key}-withdrawn", "correction_withdrawn", payload)
