"""What marks a trial: the message that it began, and the line below each of its answers."""

from datetime import datetime

from slack_sdk.models.blocks import ActionsBlock, Block

from bot.blocks.card import slack_date
from bot.blocks.content import Content, context, section
from bot.blocks.home.versions import stop_trial_button


def trial_began(name: str, until: datetime) -> Content:
    """For the admin's direct message: what happens now, for how long, and how to stop it."""
    text = (
        f"🧪 You are trying *{name}*: what you ask me here is answered by it until {slack_date(until)}. "
        "Everybody else is answered as before. Nothing of the trial is counted or learnt."
    )
    return Content(f"You are trying {name} for an hour.", [section(text), ActionsBlock(elements=[stop_trial_button()])])


def trial_blocks(name: str) -> list[Block]:
    """Below an answer of a trial, where the thumbs would be."""
    return [context(f"🧪 Trial of *{name}*: not counted, not learnt."), ActionsBlock(elements=[stop_trial_button()])]
