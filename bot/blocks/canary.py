"""Canaries in Slack: the form that begins one, how it stands, and the message that it was rolled back."""

from slack_sdk.models.blocks import (
    Block,
    ConversationFilter,
    ConversationMultiSelectElement,
    InputBlock,
    PlainTextObject,
    StaticSelectElement,
    UserMultiSelectElement,
)
from slack_sdk.models.views import View

from bot.blocks.card import slack_date
from bot.blocks.content import Content, context, header, options, section
from bot.safe_text import plain_label
from store.canaries import Part
from store.tables import BASE, Canary

CANARY_VIEW = "canary"
SHARE_FIELD, CHANNELS_FIELD, PEOPLE_FIELD = "share", "channels", "people"
SHARES = {"0.05": "5 %", "0.1": "10 %", "0.25": "25 %", "0.5": "50 %", "1": "All of these channels or people"}
USUAL_SHARE = "0.1"
MOST_NAMED = 20


def canary_modal(name: str, private_metadata: str) -> View:
    """Asks which part of the new threads a version shall answer."""
    shares = options(SHARES)
    usual = next(option for option in shares if option.value == USUAL_SHARE)
    words = (
        f"*{name}* answers a part of the threads that begin from now on, and production the others. What came of both "
        "is compared after every answer; if the canary does worse by more than chance, it is rolled back by itself."
    )
    return View(
        type="modal",
        callback_id=CANARY_VIEW,
        private_metadata=private_metadata,
        title=PlainTextObject(text=f"{name} as canary"),
        submit=PlainTextObject(text="Begin"),
        close=PlainTextObject(text="Not now"),
        blocks=[
            section(words),
            InputBlock(
                block_id=SHARE_FIELD,
                label="Share of the new threads",
                element=StaticSelectElement(action_id=SHARE_FIELD, options=shares, initial_option=usual),
            ),
            InputBlock(
                block_id=CHANNELS_FIELD,
                label="Only in these channels",
                optional=True,
                element=ConversationMultiSelectElement(
                    action_id=CHANNELS_FIELD,
                    max_selected_items=MOST_NAMED,
                    filter=ConversationFilter(include=["public", "private"], exclude_bot_users=True),
                ),
            ),
            InputBlock(
                block_id=PEOPLE_FIELD,
                label="Only from these people",
                optional=True,
                element=UserMultiSelectElement(action_id=PEOPLE_FIELD, max_selected_items=MOST_NAMED),
            ),
        ],
    )


def said_of_part(part: Part) -> str:
    """Which threads a canary answers, in words."""
    share = f"{100 * part.share:.3g} % of the new threads"
    named = [f"<#{channel}>" for channel in part.channels] + [f"<@{person}>" for person in part.people]
    return f"{share} of {', '.join(named)}" if named else share


def canary_block(canary: Canary, standing: str) -> Block:
    """How the canary that runs stands, for the Home tab."""
    part = said_of_part(Part(canary.share, canary.channels, canary.people))
    return section(
        f"🐤 *{canary.adapter}* answers {part} since {slack_date(canary.started_at)}, begun by "
        f"{_who(canary.started_by)}.\n{plain_label(standing, 500)}"
    )


def rolled_back(canary: Canary) -> Content:
    """For the admins' channel: what was rolled back, why, and what holds now."""
    headline = f"↩️ The canary {canary.adapter} was rolled back"
    champion = "the base model" if canary.champion == BASE else f"*{canary.champion}*"
    words = (
        f"{plain_label(canary.reason, 1000)} So {champion} answers every thread again. Nothing of {canary.adapter} is "
        "lost: look at its answers in the review queue, and try it again when you know why."
    )
    ran = context(f"It ran from {slack_date(canary.started_at)}, begun by {_who(canary.started_by)}.")
    return Content(f"{headline}: {canary.reason}", [header(headline), section(words), ran])


def _who(person_id: str) -> str:
    return f"<@{person_id}>" if person_id[:1] in ("U", "W") and person_id.isalnum() else plain_label(person_id, 100)
