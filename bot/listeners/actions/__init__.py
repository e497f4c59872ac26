"""Actions: clicks on buttons in messages and in the Home tab. Their effect is stored before anything is repainted."""

import re

from slack_bolt.async_app import AsyncApp

from bot.blocks.answer import RETRY_ACTION
from bot.blocks.card import HOLD_ACTION, PROMOTE_ACTION
from bot.blocks.feedback import TELL_WHY_ACTION, VOTE_ACTION
from bot.blocks.fix import LOUD_ACTION, QUIET_ACTION
from bot.blocks.gap import REOPEN_ACTION, WRITTEN_ACTION
from bot.blocks.home.operating import ROLL_BACK_ACTION, RUN_NIGHT_ACTION
from bot.blocks.home.reviewing import REVIEW_ACTION
from bot.listeners.actions import fix_notices, hold_version, knowledge_gap, other, promote_version, retry_answer, review_answer, roll_back, tell_why
from bot.listeners.actions import run_night as run_night_now
from bot.listeners.actions import vote as vote_on_answer


def register(app: AsyncApp) -> None:
    """Register the listeners of actions; the last one takes what no other does."""
    app.action(VOTE_ACTION)(vote_on_answer.vote)
    app.action(TELL_WHY_ACTION)(tell_why.tell_why)
    app.action(QUIET_ACTION)(fix_notices.fix_notices)
    app.action(LOUD_ACTION)(fix_notices.fix_notices)
    app.action(WRITTEN_ACTION)(knowledge_gap.knowledge_gap)
    app.action(REOPEN_ACTION)(knowledge_gap.knowledge_gap)
    app.action(RETRY_ACTION)(retry_answer.retry_answer)
    app.action(REVIEW_ACTION)(review_answer.review_answer)
    app.action(PROMOTE_ACTION)(promote_version.promote_version)
    app.action(HOLD_ACTION)(hold_version.hold_version)
    app.action(ROLL_BACK_ACTION)(roll_back.roll_back)
    app.action(RUN_NIGHT_ACTION)(run_night_now.run_night)
    app.action(re.compile(".*"))(other.other)
