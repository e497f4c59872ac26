"""Who is busy with which answer, and who has left one to others."""

from datetime import timedelta

from sqlmodel import Session, col, delete, or_, select, update

from store.session import insert_ignoring
from store.tables import ReviewClaim, ReviewSkip, now

CLAIM = timedelta(minutes=10)
"""A reviewer who does nothing for so long gives the answer back."""


def claim(session: Session, answer_id: int, reviewer_id: str) -> bool:
    """Take an answer, or renew one's own claim on it; False while another reviewer has it.

    A reviewer looks at one answer at a time, so the claim on an earlier one is given back.
    """
    session.exec(
        delete(ReviewClaim).where(col(ReviewClaim.reviewer_id) == reviewer_id, col(ReviewClaim.answer_id) != answer_id)
    )
    until = now() + CLAIM
    if insert_ignoring(session, ReviewClaim, {"answer_id": answer_id, "reviewer_id": reviewer_id, "until": until}):
        return True
    taken = session.exec(
        update(ReviewClaim)
        .where(
            col(ReviewClaim.answer_id) == answer_id,
            or_(col(ReviewClaim.reviewer_id) == reviewer_id, col(ReviewClaim.until) <= now()),
        )
        .values(reviewer_id=reviewer_id, until=until)
    )
    return bool(taken.rowcount)


def holders(session: Session) -> dict[int, str]:
    """Which reviewer is busy with which answer now."""
    live = select(ReviewClaim.answer_id, ReviewClaim.reviewer_id).where(col(ReviewClaim.until) > now())
    return dict(session.exec(live).all())


def release(session: Session, answer_id: int, reviewer_id: str) -> None:
    """Give an answer back."""
    session.exec(
        delete(ReviewClaim).where(col(ReviewClaim.answer_id) == answer_id, col(ReviewClaim.reviewer_id) == reviewer_id)
    )


def skip(session: Session, answer_id: int, reviewer_id: str) -> None:
    """Leave an answer to other reviewers."""
    insert_ignoring(session, ReviewSkip, {"answer_id": answer_id, "reviewer_id": reviewer_id, "created_at": now()})
    release(session, answer_id, reviewer_id)


def unskip(session: Session, reviewer_id: str) -> None:
    """Take back everything that this reviewer has left to others."""
    session.exec(delete(ReviewSkip).where(col(ReviewSkip.reviewer_id) == reviewer_id))
