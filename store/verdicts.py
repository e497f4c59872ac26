"""What several reviewers' verdicts on one answer come to, and which answers get a second opinion. Nothing is stored."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from store.import_tickets import IMPORT
from store.tables import Review
from store.words import ReviewState


def drawn_for_two(answer_id: int, share: float) -> bool:
    """Whether an answer is among the share that two reviewers judge: the same answer always gets the same reply."""
    digest = hashlib.sha256(f"two reviewers:{answer_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < share


def final(reviews: Sequence[Review]) -> Review | None:
    """The review that counts, of all reviews of one answer in their order; None while they are in dispute.

    The first review with the verdict of the majority; where three or more reviewers have no majority, the last. What a
    reviewer says about an imported answer counts instead of the import.
    """
    if not reviews:
        return None
    if len(reviews) > 1:
        reviews = [review for review in reviews if review.reviewer_id != IMPORT]
    verdict, votes = Counter(review.verdict for review in reviews).most_common(1)[0]
    if 2 * votes > len(reviews):
        return next(review for review in reviews if review.verdict == verdict)
    return reviews[-1] if len(reviews) > 2 else None


def state_after(reviews: Sequence[Review], *, drawn: bool) -> ReviewState:
    """Whose turn it is after these reviews of one answer."""
    if not reviews:
        return ReviewState.WAITING
    if final(reviews) is None:
        return ReviewState.THIRD
    return ReviewState.SECOND if drawn and len(reviews) == 1 else ReviewState.SETTLED
