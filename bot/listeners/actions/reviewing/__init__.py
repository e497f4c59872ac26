"""A reviewer's clicks, in the Home tab and in the modal flow."""

from slack_bolt.async_app import AsyncApp

from bot.blocks.home.reviewing import (
    BACK_ACTION,
    CHANNELS_ACTION,
    FILTER_ACTION,
    MORE_ACTION,
    REVIEW_ACTION,
    START_REVIEWING_ACTION,
)
from bot.blocks.review import SKIP_ACTION, UNDO_ACTION, UNSKIP_ACTION
from bot.blocks.review.inputs import START_ACTION
from bot.listeners.actions.reviewing import (
    choose_queue,
    choose_start,
    review_answer,
    skip_review,
    start_reviewing,
    undo_review,
    unskip_reviews,
)


def register(app: AsyncApp) -> None:
    """Register the listeners of reviewing."""
    app.action(REVIEW_ACTION)(review_answer.review_answer)
    app.action(START_REVIEWING_ACTION)(start_reviewing.start_reviewing)
    app.action(SKIP_ACTION)(skip_review.skip_review)
    app.action(UNSKIP_ACTION)(unskip_reviews.unskip_reviews)
    app.action(START_ACTION)(choose_start.choose_start)
    app.action(UNDO_ACTION)(undo_review.undo_review)
    for action_id in (FILTER_ACTION, CHANNELS_ACTION, MORE_ACTION, BACK_ACTION):
        app.action(action_id)(choose_queue.choose_queue)
