"""Reviews: who may decide on an answer, what they decided, and what follows from it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select, update

from store import answers, audit, contradictions, gaps, outbox, review_claims, tickets, verdicts
from store.audit import Act
from store.errors import BadInput, NightschoolError, NotAllowed
from store.import_tickets import IMPORT
from store.tables import Answer, Proposal, Review, Ticket, now
from store.words import Arm, AuditAction, Cause, DeliveryState, ProposalState, ReviewState, TicketStatus, Verdict

REVIEWABLE = (DeliveryState.DELIVERED, DeliveryState.STOPPED, DeliveryState.FAILED)

NOT_OURS = (Arm.HUMAN, Arm.TRIAL)
"""Nobody reviews what a person wrote, or what a version said that an admin tries."""

SENT_BACK = (ReviewState.SECOND, ReviewState.THIRD, ReviewState.CONTRADICTED)
"""Unless a night has sent what a person wrote to the reviewers."""


@dataclass(frozen=True)
class Decision:
    """A reviewer's verdict as it was submitted; `alike` are near-duplicates that it decides too, where it fits them.

    From `valid_until` on the correction no longer holds; `proposal_id` is the proposal that it was taken from.
    """

    answer_id: int
    reviewer_id: str
    verdict: Verdict
    correction: str = ""
    cause: Cause | None = None
    note: str = ""
    tags: tuple[str, ...] = ()
    valid_until: datetime | None = None
    alike: tuple[int, ...] = ()
    proposal_id: int | None = None


def of_answer(session: Session, answer_id: int) -> list[Review]:
    """Every decision on an answer, the oldest first."""
    return list(session.exec(select(Review).where(Review.answer_id == answer_id).order_by(col(Review.id))))


def of_batch(session: Session, batch: str) -> list[Review]:
    """The decisions that were made at once, ordered by answer; none when they were taken back."""
    found = select(Review).where(Review.batch == batch, Review.batch != "").order_by(col(Review.answer_id))
    return list(session.exec(found))


def check_may_review(session: Session, answer_id: int, reviewer_id: str) -> tuple[Answer, Ticket]:
    """The answer and its ticket, if this reviewer may decide on it.

    Raises:
        NotAllowed: it answers the reviewer's own question.
        BadInput: it is decided, or this reviewer has decided and another has to, or it was withdrawn.
        NotFound: there is no such answer.
    """
    answer, ticket = answers.with_ticket(session, answer_id)
    if ticket.asker_id == reviewer_id:
        raise NotAllowed("You asked this question yourself, so another reviewer has to decide on the answer.")
    if answer.state not in REVIEWABLE or ticket.status == TicketStatus.WITHDRAWN or is_not_ours(answer):
        raise BadInput("This question was deleted or is still being answered, so there is nothing to decide on.")
    given = of_answer(session, answer_id)
    if answer.review_state != ReviewState.CONTRADICTED and any(one.reviewer_id == reviewer_id for one in given):
        raise BadInput("You have already decided on this answer; if anyone has to look again, it is another reviewer.")
    if answer.review_state == ReviewState.SETTLED:
        raise BadInput(_decided_by(given))
    return answer, ticket


def is_not_ours(answer: Answer) -> bool:
    """Whether an answer is none that reviewers decide on."""
    return answer.arm == Arm.TRIAL or (answer.arm == Arm.HUMAN and answer.review_state not in SENT_BACK)


def _decided_by(given: Sequence[Review]) -> str:
    counts = verdicts.final(given)
    if counts is None:
        return "This answer has already been decided on."
    return f"<@{counts.reviewer_id}> has already decided on this answer: {counts.verdict.value}."


def field_errors(answer: Answer, decision: Decision) -> dict[str, str]:
    """What is wrong with a decision, by the name of its field; empty when nothing is."""
    unchanged = decision.correction.split() == answer.text.split()
    if decision.verdict == Verdict.CORRECTED:
        if not decision.correction.strip():
            return {"correction": "Write the right answer, or choose another verdict."}
        if unchanged:
            return {"correction": "This is the bot's own answer. Change it, or accept the answer as it is."}
        if decision.valid_until is not None and decision.valid_until <= now():
            return {"valid_until": "That day is over. Choose a later one, or none."}
    if decision.verdict == Verdict.ACCEPTED:
        if not answer.text.strip() or answer.state == DeliveryState.FAILED:
            return {"verdict": "The bot gave no whole answer here, so there is nothing to accept. Correct it instead."}
        if decision.correction.strip() and not unchanged:
            return {"verdict": "You changed the answer: choose “Correct it”, or take your change back."}
    return {}


def decide(session: Session, decision: Decision, second_opinion_share: float = 0.0) -> Review:
    """Store a verdict, and the same on the near-duplicates that it names; all share the batch of what is returned.

    What follows from a verdict follows at once, even where a second reviewer will be asked: the asker of a bad answer
    shall not wait. A near-duplicate is left alone when it was decided, taken or withdrawn meanwhile, or when an
    accepted answer is not what was answered there.

    Raises:
        NotAllowed, BadInput, NotFound: see `check_may_review`; BadInput also for what `field_errors` names.
    """
    # Two reviewers who decide at the same moment queue here on Postgres; SQLite has one writer anyway.
    ids = sorted({decision.answer_id, *decision.alike})
    session.exec(select(Answer.id).where(col(Answer.id).in_(ids)).order_by(col(Answer.id)).with_for_update()).all()
    answer, ticket = check_may_review(session, decision.answer_id, decision.reviewer_id)
    if errors := field_errors(answer, decision):
        raise BadInput(" ".join(errors.values()))
    batch = uuid.uuid4().hex[:16]
    review = _store(session, decision, answer, batch)
    settle(session, answer, ticket, second_opinion_share)
    for near, its_ticket in _fitting(session, decision, answer):
        _store(session, decision, near, batch)
        settle(session, near, its_ticket, second_opinion_share)
    if decision.proposal_id is not None:
        set_proposal(session, decision.proposal_id, ProposalState.OPEN, ProposalState.USED)
    return review


def _fitting(session: Session, decision: Decision, answer: Answer) -> list[tuple[Answer, Ticket]]:
    """The near-duplicates on which this very decision can be made."""
    found, holders = [], review_claims.holders(session)
    for answer_id in sorted({*decision.alike} - {decision.answer_id}):
        try:
            near, ticket = check_may_review(session, answer_id, decision.reviewer_id)
        except NightschoolError:
            continue
        same_group = near.near_group is not None and near.near_group == answer.near_group
        same_answer = near.text.split() == answer.text.split() and near.state == answer.state
        free = holders.get(answer_id, decision.reviewer_id) == decision.reviewer_id
        fits = same_answer if decision.verdict == Verdict.ACCEPTED else not field_errors(near, decision)
        if same_group and free and fits and near.review_state == ReviewState.WAITING:
            found.append((near, ticket))
    return found


def _store(session: Session, decision: Decision, answer: Answer, batch: str) -> Review:
    corrected = decision.verdict == Verdict.CORRECTED
    # Whoever looks again at a contradiction may be the reviewer who decided first.
    own = (one for one in of_answer(session, answer.id or 0) if one.reviewer_id == decision.reviewer_id)
    review = next(own, None) or Review(answer_id=answer.id or 0, reviewer_id=decision.reviewer_id)
    review.verdict = decision.verdict
    review.correction = decision.correction.strip() if corrected else ""
    review.cause = decision.cause
    review.note = decision.note.strip()
    review.tags = list(decision.tags)
    review.batch = batch
    review.valid_until = decision.valid_until if corrected else None
    review.proposal_id = decision.proposal_id if corrected else None
    review.updated_at = now()
    session.add(review)
    session.flush()
    facts: dict[str, audit.Fact] = {"verdict": decision.verdict, "cause": decision.cause, "batch": batch}
    audit.note(session, Act(AuditAction.REVIEW, decision.reviewer_id, f"answer {answer.id}", details=facts))
    gaps.decided(session, review)
    contradictions.decided(session, review)
    review_claims.release(session, answer.id or 0, decision.reviewer_id)
    return review


def settle(session: Session, answer: Answer, ticket: Ticket, second_opinion_share: float) -> None:
    """Draw the consequences of the reviews that an answer has now: whose turn it is, what is owed, how it stands."""
    given = of_answer(session, answer.id or 0)
    drawn = verdicts.drawn_for_two(answer.id or 0, second_opinion_share)
    gone = ticket.status == TicketStatus.WITHDRAWN
    answer.review_state = ReviewState.SETTLED if gone else verdicts.state_after(given, drawn=drawn)
    counts = verdicts.final(given)
    if counts is None:
        return
    if counts.verdict == Verdict.CORRECTED and ticket.team_id != IMPORT:
        outbox.owe(session, correction_key(counts), "correction", {"review_id": counts.id})
    if counts.verdict != Verdict.REJECTED and ticket.status not in (TicketStatus.RESOLVED, TicketStatus.WITHDRAWN):
        given[-1].status_before = ticket.status
        tickets.set_status(session, ticket.id or 0, TicketStatus.RESOLVED)


def correction_key(review: Review) -> str:
    """The outbox key of a correction. By its batch: SQLite gives the number of a deleted row to another."""
    return f"correction-{review.answer_id}-{review.batch}"


def set_proposal(session: Session, proposal_id: int, before: ProposalState, after: ProposalState) -> None:
    """Record what became of a proposal, if it is as it was."""
    session.exec(
        update(Proposal).where(col(Proposal.id) == proposal_id, col(Proposal.state) == before).values(state=after)
    )
