"""Reviews: what the reviewers should look at next, and what they decided."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, case, col, exists, func, select

from store import answers, outbox, tickets
from store.errors import BadInput, NotAllowed
from store.tables import Answer, Review, Ticket, Vote, now
from store.words import Arm, Cause, DeliveryState, TicketStatus, Verdict, VoteValue

REVIEWABLE = (DeliveryState.DELIVERED, DeliveryState.STOPPED, DeliveryState.FAILED)


@dataclass(frozen=True)
class QueueItem:
    """An answer that waits for a reviewer, with its ticket and the counts of its votes."""

    answer: Answer
    ticket: Ticket
    up: int
    down: int


@dataclass(frozen=True)
class Counts:
    """How many answers wait, were voted down among them, and were decided."""

    waiting: int
    voted_down: int
    accepted: int
    corrected: int
    rejected: int


@dataclass(frozen=True)
class Decision:
    """A reviewer's verdict as it was submitted."""

    answer_id: int
    reviewer_id: str
    verdict: Verdict
    correction: str = ""
    cause: Cause | None = None
    note: str = ""


def _votes(value: VoteValue) -> ColumnElement[int]:
    counted = select(func.count(col(Vote.id))).where(Vote.answer_id == Answer.id, Vote.value == value)
    return counted.correlate(Answer).scalar_subquery()


def _waits() -> ColumnElement[bool]:
    reviewed = exists().where(col(Review.answer_id) == col(Answer.id))
    return and_(
        col(Answer.state).in_(REVIEWABLE),
        col(Answer.arm).not_in([Arm.HUMAN, Arm.TRIAL]),
        col(Ticket.status) != TicketStatus.WITHDRAWN,
        ~reviewed,
    )


def queue(session: Session, limit: int) -> list[QueueItem]:
    """The answers that wait, the ones that teach most first.

    Voted down, then failed or escalated, then the model's own doubt (low mean log-probability), then the newest.
    """
    down, up = _votes(VoteValue.DOWN), _votes(VoteValue.UP)
    troubled = case(
        ((col(Answer.state) == DeliveryState.FAILED) | (col(Ticket.status) == TicketStatus.ESCALATED), 1), else_=0
    )
    rows = session.exec(
        select(Answer, Ticket, up, down)
        .join(Ticket, col(Answer.ticket_id) == col(Ticket.id))
        .where(_waits())
        .order_by(
            down.desc(),
            troubled.desc(),
            func.coalesce(col(Answer.mean_logprob), 0.0),
            col(Answer.created_at).desc(),
        )
        .limit(limit)
    )
    return [QueueItem(answer, ticket, ups, downs) for answer, ticket, ups, downs in rows]


def counts(session: Session) -> Counts:
    """How many answers wait and how many were decided, by verdict."""
    waiting = select(func.count(col(Answer.id))).join(Ticket, col(Answer.ticket_id) == col(Ticket.id)).where(_waits())
    decided = dict(session.exec(select(Review.verdict, func.count(col(Review.id))).group_by(col(Review.verdict))).all())
    return Counts(
        waiting=session.exec(waiting).one(),
        voted_down=session.exec(waiting.where(_votes(VoteValue.DOWN) > 0)).one(),
        accepted=decided.get(Verdict.ACCEPTED, 0),
        corrected=decided.get(Verdict.CORRECTED, 0),
        rejected=decided.get(Verdict.REJECTED, 0),
    )


def of_answer(session: Session, answer_id: int) -> Review | None:
    """The decision on an answer."""
    return session.exec(select(Review).where(Review.answer_id == answer_id).order_by(col(Review.id))).first()


def check_may_review(session: Session, answer_id: int, reviewer_id: str) -> tuple[Answer, Ticket]:
    """The answer and its ticket, if this reviewer may decide on it.

    Raises:
        NotAllowed: it answers the reviewer's own question.
        BadInput: another reviewer has decided on it, or it was withdrawn.
        NotFound: there is no such answer.
    """
    answer, ticket = answers.with_ticket(session, answer_id)
    if ticket.asker_id == reviewer_id:
        raise NotAllowed("You asked this question yourself, so another reviewer has to decide on the answer.")
    if answer.state not in REVIEWABLE or ticket.status == TicketStatus.WITHDRAWN:
        raise BadInput("This question was deleted or is still being answered, so there is nothing to decide on.")
    decided = of_answer(session, answer_id)
    if decided is not None and decided.reviewer_id != reviewer_id:
        raise BadInput(f"<@{decided.reviewer_id}> has already decided on this answer: {decided.verdict.value}.")
    return answer, ticket


def field_errors(answer: Answer, decision: Decision) -> dict[str, str]:
    """What is wrong with a decision, by the name of its field; empty when nothing is."""
    unchanged = decision.correction.split() == answer.text.split()
    if decision.verdict == Verdict.CORRECTED:
        if not decision.correction.strip():
            return {"correction": "Write the right answer, or choose another verdict."}
        if unchanged:
            return {"correction": "This is the bot's own answer. Change it, or accept the answer as it is."}
    if decision.verdict == Verdict.ACCEPTED:
        if not answer.text.strip() or answer.state == DeliveryState.FAILED:
            return {"verdict": "The bot gave no whole answer here, so there is nothing to accept. Correct it instead."}
        if decision.correction.strip() and not unchanged:
            return {"verdict": "You changed the answer: choose “Correct it”, or take your change back."}
    return {}


def decide(session: Session, decision: Decision) -> Review:
    """Store a verdict; a reviewer's own earlier one is replaced. A correction is owed to the asker's thread.

    Raises:
        NotAllowed, BadInput, NotFound: see `check_may_review`; BadInput also for what `field_errors` names.
    """
    # Two reviewers who decide at the same moment queue here on Postgres; SQLite has one writer anyway.
    session.exec(select(Answer.id).where(Answer.id == decision.answer_id).with_for_update()).first()
    answer, ticket = check_may_review(session, decision.answer_id, decision.reviewer_id)
    if errors := field_errors(answer, decision):
        raise BadInput(" ".join(errors.values()))
    review = of_answer(session, decision.answer_id) or Review(
        answer_id=decision.answer_id, reviewer_id=decision.reviewer_id, verdict=decision.verdict
    )
    review.verdict, review.cause, review.note = decision.verdict, decision.cause, decision.note.strip()
    review.correction = decision.correction.strip() if decision.verdict == Verdict.CORRECTED else ""
    review.updated_at = now()
    session.add(review)
    session.flush()
    if decision.verdict == Verdict.CORRECTED:
        outbox.owe(session, f"correction-{review.id}", "correction", {"review_id": review.id})
    if decision.verdict != Verdict.REJECTED:
        tickets.set_status(session, ticket.id or 0, TicketStatus.RESOLVED)
    return review
