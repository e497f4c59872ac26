"""What the reviewers' part of the Home tab says, read from the store."""

from sqlmodel import Session

from bot.blocks.home.reviewing import ReviewQueue
from store import agreement, review_queue, review_signs, review_undo
from store.settings import Settings

PAGE = 10


def queue(session: Session, settings: Settings, reviewer_id: str) -> ReviewQueue:
    """One page of what this reviewer chose to see, with counts, undo, and agreement."""
    desk = review_queue.desk_of(session, reviewer_id)
    found = review_signs.survey(session, reviewer_id)
    waiting = [] if desk.tag else review_queue.ranked(session, desk, found)
    first = desk.page * PAGE
    return ReviewQueue(
        counts=review_signs.counts(session, reviewer_id, found),
        items=review_queue.items(session, waiting[first : first + PAGE]),
        desk=desk,
        more=len(waiting) > first + PAGE,
        undoable=review_undo.undoable(session, reviewer_id),
        agreement=agreement.agreement(session),
        tags=settings.offered_tags,
        decided=review_queue.tagged(session, desk.tag)[: 2 * PAGE] if desk.tag else [],
    )
