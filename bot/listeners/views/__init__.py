"""Views: submitted modals."""

import re

from slack_bolt.async_app import AsyncApp

from bot.blocks.canary import CANARY_VIEW
from bot.blocks.channel import CHANNEL_VIEW, CHOOSE_CHANNEL_VIEW
from bot.blocks.feedback import REASON_VIEW
from bot.blocks.review import REVIEW_VIEW
from bot.blocks.role import ROLE_VIEW
from bot.blocks.step import STEP_VIEW
from bot.listeners.views import (
    canary,
    channel_settings,
    choose_channel,
    other,
    review,
    review_closed,
    role,
    version_step,
    vote_reason,
)


def register(app: AsyncApp) -> None:
    """Register the listeners of submissions; the last ones take what no other does."""
    app.view(REASON_VIEW)(vote_reason.vote_reason)
    app.view(REVIEW_VIEW)(review.review)
    app.view_closed(REVIEW_VIEW)(review_closed.review_closed)
    app.view(STEP_VIEW)(version_step.version_step)
    app.view(CANARY_VIEW)(canary.canary)
    app.view(CHOOSE_CHANNEL_VIEW)(choose_channel.choose_channel)
    app.view(CHANNEL_VIEW)(channel_settings.channel_settings)
    app.view(ROLE_VIEW)(role.role)
    app.view(re.compile(".*"))(other.other)
    app.view_closed(re.compile(".*"))(other.other)
