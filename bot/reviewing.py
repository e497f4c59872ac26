"""A reviewer's way through the queue: which answer is shown next, what it shows, what was just done.

Every step claims the answer that it shows, so that no two reviewers write the same correction.
"""

from dataclasses import dataclass, replace

from slack_sdk.models.views import View
from sqlmodel import Session

from bot.blocks.review import Case, Progress, ending_modal, review_modal
from bot.blocks.review.inputs import prefill
from bot.metadata import ReviewFlow
from store import (
    answers,
    contradictions,
    proposals,
    review_claims,
    review_queue,
    review_signs,
    review_undo,
    reviews,
    tickets,
    votes,
)
from store.review_queue import desk_of
from store.reviews import Decision
from store.settings import Settings
from store.tables import Answer, Message
from store.words import ReviewState, Role, Verdict

SAID = {Verdict.ACCEPTED: "Accepted", Verdict.CORRECTED: "Corrected", Verdict.REJECTED: "Rejected"}


@dataclass(frozen=True)
class Desk:
    """A reviewer at work, under the settings in force."""

    settings: Settings
    reviewer_id: str


def open_at(session: Session, desk: Desk, answer_id: int) -> View:
    """Begin with this answer; the next one where another reviewer is busy with it.

    Raises:
        NotAllowed, BadInput, NotFound: this reviewer may not decide on it, see `reviews.check_may_review`.
    """
    reviews.check_may_review(session, answer_id, desk.reviewer_id)
    if review_claims.claim(session, answer_id, desk.reviewer_id):
        return show(session, desk, ReviewFlow(answer_id))
    holder = review_claims.holders(session).get(answer_id, "")
    return advance(session, desk, ReviewFlow(answer_id), f"<@{holder}> is busy with that one; here is the next.")


def begin(session: Session, desk: Desk) -> View:
    """Begin with the first answer of the queue."""
    return advance(session, desk, ReviewFlow(0))


def advance(session: Session, desk: Desk, flow: ReviewFlow, notice: str = "") -> View:
    """Claim the next answer and show it; the end of the flow where none is left."""
    following = review_queue.take_next(session, desk_of(session, desk.reviewer_id))
    if following is not None:
        return show(session, desk, ReviewFlow(following, decided=flow.decided, batch=flow.batch), notice)
    ended = replace(flow, answer_id=0, alike=())
    waiting = review_signs.waiting(session, desk.reviewer_id)
    return ending_modal(Progress(ended, waiting, notice, len(review_signs.skipped_by(session, desk.reviewer_id))))


def show(session: Session, desk: Desk, flow: ReviewFlow, notice: str = "") -> View:
    """The modal for the answer that the flow has come to."""
    answer, ticket = answers.with_ticket(session, flow.answer_id)
    alike, more = review_queue.alike(session, answer, desk.reviewer_id)
    case = Case(
        answer,
        ticket,
        _without_corrections(session, answer),
        votes.of_answer(session, flow.answer_id),
        proposals.of_answer(session, flow.answer_id),
        alike,
        more,
        desk.settings.offered_tags,
        contradictions.opposed(session, [flow.answer_id]).get(flow.answer_id, ()),
    )
    flow = replace(flow, alike=tuple(near.id or 0 for near, _ in alike))
    waiting = review_signs.waiting(session, desk.reviewer_id)
    return review_modal(case, Progress(flow, waiting, notice))


def _without_corrections(session: Session, answer: Answer) -> list[Message]:
    """The transcript without what reviewers of this answer had posted: a second opinion is formed alone."""
    reviewers = {review.reviewer_id for review in reviews.of_answer(session, answer.id or 0)}
    said = tickets.transcript(session, answer.ticket_id)
    return [line for line in said if line.role != Role.BOT or line.person_id not in reviewers]


def decide(session: Session, desk: Desk, flow: ReviewFlow, decision: Decision) -> View:
    """Store a decision and show what comes next.

    Raises:
        NightschoolError: it may not be made; nothing is changed.
    """
    answer, _ = answers.with_ticket(session, flow.answer_id)
    decided = any(review.reviewer_id == desk.reviewer_id for review in reviews.of_answer(session, flow.answer_id))
    if decided and answer.review_state != ReviewState.CONTRADICTED:
        # The second of two presses on “Decide”.
        return advance(session, desk, flow)
    review = reviews.decide(session, decision, desk.settings.second_opinion_share)
    made = len(reviews.of_batch(session, review.batch))
    return advance(
        session, desk, replace(flow, decided=flow.decided + made, batch=review.batch), _said(review.verdict, made)
    )


def _said(verdict: Verdict, made: int) -> str:
    others = f", with {made - 1} like it" if made > 1 else ""
    return f"✅ {SAID[verdict]}{others}."


def skip(session: Session, desk: Desk, flow: ReviewFlow, answer_id: int) -> View:
    """Leave an answer to others and show the next one."""
    review_claims.skip(session, answer_id, desk.reviewer_id)
    return advance(session, desk, replace(flow, batch=""), "⏭ Left to other reviewers.")


def unskip(session: Session, desk: Desk, flow: ReviewFlow) -> View:
    """Look again at what was left to others."""
    review_claims.unskip(session, desk.reviewer_id)
    return advance(session, desk, replace(flow, batch=""))


def undo(session: Session, desk: Desk, flow: ReviewFlow, batch: str) -> View:
    """Take decisions back and show the first of their answers again.

    Raises:
        NotAllowed, BadInput: they cannot be taken back (any more), see `review_undo.undo`.
    """
    undone = review_undo.undo(session, batch, desk.reviewer_id, desk.settings.second_opinion_share)
    left = ReviewFlow(undone[0], decided=max(0, flow.decided - len(undone)))
    if review_claims.claim(session, undone[0], desk.reviewer_id):
        return show(session, desk, left, "↩️ Taken back.")
    return advance(session, desk, left, "↩️ Taken back.")


def as_begun(session: Session, flow: ReviewFlow) -> tuple[str, int | None]:
    """The text that the field for the right answer began with, and the proposal it came from, if it did."""
    answer, ticket = answers.with_ticket(session, flow.answer_id)
    replies = proposals.of_answer(session, flow.answer_id)
    case = Case(answer, ticket, [], votes.of_answer(session, flow.answer_id), replies)
    taken = flow.start.kind == "reply" and any(reply.id == flow.start.id for reply in replies)
    return prefill(case, flow.start), flow.start.id if taken else None


def stay(session: Session, desk: Desk, flow: ReviewFlow, notice: str) -> View:
    """The same screen again, with a sentence about why nothing has changed."""
    if flow.answer_id:
        return show(session, desk, replace(flow, batch=""), notice)
    return advance(session, desk, replace(flow, batch=""), notice)
