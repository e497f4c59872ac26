"""What is known about why an answer reads as it does, gathered from the store."""

from sqlmodel import Session

from bot.blocks.why import Explanation
from bot.clicks import Click, clicked_answer
from bot.closing import confidence, sources
from store import adapters, approved
from store.tables import BASE, Evaluation


def explain(session: Session, click: Click) -> Explanation:
    """Why the answer that was clicked on reads as it does.

    Raises:
        NotFound: the answer does not exist any more.
        NotAllowed: the button names another answer.
    """
    answer, _ = clicked_answer(session, click)
    approval = approved.get(session, answer.approved_by) if answer.approved_by is not None else None
    promotion = adapters.promotion_of(session, answer.adapter)
    evaluation = session.get(Evaluation, promotion.evaluation_id) if promotion and promotion.evaluation_id else None
    return Explanation(
        version="" if answer.adapter == BASE else answer.adapter,
        given_at=answer.completed_at or answer.created_at,
        promoted_by=promotion.person_id if promotion else "",
        promoted_at=promotion.created_at if promotion else None,
        evidence=evaluation.summary if evaluation else (promotion.reason if promotion else ""),
        approved_by=approval.reviewer_id if approval else "",
        confidence=confidence(answer),
        sources=sources(answer.passages),
    )
