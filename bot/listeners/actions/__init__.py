"""Actions: clicks on buttons in messages and in the Home tab. Their effect is stored before anything is repainted."""

import re

from slack_bolt.async_app import AsyncApp

from bot.blocks.answer import HUMAN_ACTION, RETRY_ACTION, SHARE_ACTION, SOLVE_ACTION, UNSOLVE_ACTION, WHY_ACTION
from bot.blocks.card import HOLD_ACTION, PROMOTE_ACTION
from bot.blocks.feedback import TELL_WHY_ACTION, VOTE_ACTION
from bot.blocks.fix import LOUD_ACTION, QUIET_ACTION
from bot.blocks.gap import REOPEN_ACTION, WRITTEN_ACTION
from bot.blocks.home.operating import CANCEL_NIGHT_ACTION, RUN_NIGHT_ACTION
from bot.blocks.home.places import CHANGE_CHANNEL_ACTION, CHANGE_ROLE_ACTION, CHOOSE_CHANNEL_ACTION
from bot.blocks.home.usage import SHOW_CHARTS_ACTION
from bot.blocks.home.versions import STOP_TRIAL_ACTION, VERSION_STEP_ACTION
from bot.blocks.privacy import FIX_NOTICES_ACTION, LEARNING_ACTION
from bot.listeners.actions import (
    call_human,
    change_channel,
    change_role,
    choose_channel,
    explain_answer,
    fix_notices,
    hold_version,
    knowledge_gap,
    other,
    privacy_fix_notices,
    privacy_learning,
    promote_version,
    retry_answer,
    reviewing,
    share_answer,
    show_charts,
    solve_ticket,
    tell_why,
    unsolve_ticket,
    version_step,
)
from bot.listeners.actions import cancel_night as cancel_running_night
from bot.listeners.actions import run_night as run_night_now
from bot.listeners.actions import stop_trial as stop_trying
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
    reviewing.register(app)
    app.action(SOLVE_ACTION)(solve_ticket.solve_ticket)
    app.action(UNSOLVE_ACTION)(unsolve_ticket.unsolve_ticket)
    app.action(HUMAN_ACTION)(call_human.call_human)
    app.action(WHY_ACTION)(explain_answer.explain_answer)
    app.action(SHARE_ACTION)(share_answer.share_answer)
    app.action(PROMOTE_ACTION)(promote_version.promote_version)
    app.action(HOLD_ACTION)(hold_version.hold_version)
    app.action(re.compile(f"^{VERSION_STEP_ACTION}"))(version_step.version_step)
    app.action(CHOOSE_CHANNEL_ACTION)(choose_channel.choose_channel)
    app.action(CHANGE_CHANNEL_ACTION)(change_channel.change_channel)
    app.action(CHANGE_ROLE_ACTION)(change_role.change_role)
    app.action(SHOW_CHARTS_ACTION)(show_charts.show_charts)
    app.action(LEARNING_ACTION)(privacy_learning.privacy_learning)
    app.action(FIX_NOTICES_ACTION)(privacy_fix_notices.privacy_fix_notices)
    app.action(STOP_TRIAL_ACTION)(stop_trying.stop_trial)
    app.action(RUN_NIGHT_ACTION)(run_night_now.run_night)
    app.action(CANCEL_NIGHT_ACTION)(cancel_running_night.cancel_night)
    app.action(re.compile(".*"))(other.other)
