"""Actions: clicks on buttons in messages and in the Home tab. Their effect is stored before anything is repainted."""

import re

from slack_bolt.async_app import AsyncApp

from bot.blocks.answer import HUMAN_ACTION, RETRY_ACTION, SHARE_ACTION, SOLVE_ACTION, UNSOLVE_ACTION, WHY_ACTION
from bot.blocks.card import HOLD_ACTION, PROMOTE_ACTION
from bot.blocks.feedback import VOTE_ACTION
from bot.blocks.home.operating import ROLL_BACK_ACTION, RUN_NIGHT_ACTION
from bot.blocks.home.reviewing import REVIEW_ACTION
from bot.listeners.actions import (
    call_human,
    explain_answer,
    hold_version,
    other,
    promote_version,
    retry_answer,
    review_answer,
    roll_back,
    share_answer,
    solve_ticket,
    unsolve_ticket,
)
from bot.listeners.actions import run_night as run_night_now
from bot.listeners.actions import vote as vote_on_answer


def register(app: AsyncApp) -> None:
    """Register the listeners of actions; the last one takes what no other does."""
    app.action(VOTE_ACTION)(vote_on_answer.vote)
    app.action(RETRY_ACTION)(retry_answer.retry_answer)
    app.action(SOLVE_ACTION)(solve_ticket.solve_ticket)
    app.action(UNSOLVE_ACTION)(unsolve_ticket.unsolve_ticket)
    app.action(HUMAN_ACTION)(call_human.call_human)
    app.action(WHY_ACTION)(explain_answer.explain_answer)
    app.action(SHARE_ACTION)(share_answer.share_answer)
    app.action(REVIEW_ACTION)(review_answer.review_answer)
    app.action(PROMOTE_ACTION)(promote_version.promote_version)
    app.action(HOLD_ACTION)(hold_version.hold_version)
    app.action(ROLL_BACK_ACTION)(roll_back.roll_back)
    app.action(RUN_NIGHT_ACTION)(run_night_now.run_night)
    app.action(re.compile(".*"))(other.other)
