"""Views: submitted modals."""

import re

from slack_bolt.async_app import AsyncApp

from bot.blocks.feedback import REASON_VIEW
from bot.blocks.review import REVIEW_VIEW
from bot.listeners.views import other, review, review_closed, vote_reason


def register(app: AsyncApp) -> None:
    """Register the listeners of submissions; the last ones take what no other does."""
    app.view(REASON_VIEW)(vote_reason.vote_reason)
    app.view(REVIEW_VIEW)(review.review)
    app.view_closed(REVIEW_VIEW)(review_closed.review_closed)
    app.view(re.compile(".*"))(other.other)
    app.view_closed(re.compile(".*"))(other.other)
