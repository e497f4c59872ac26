"""“Ask Nightschool about this”: answers somebody's message in its thread, for all who read it."""

from dataclasses import asdict
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError

from bot import posting, questions
from bot.inbox import ASK
from bot.services import Services
from store.errors import BadInput
from store.inbox import Arrival
from store.tickets import Question
from store.words import Surface


async def ask_about_message(ack: AsyncAck, body: dict[str, Any], services: Services) -> None:
    """Store the question; the worker answers it."""
    message, channel_id = body["message"], str(body["channel"]["id"])
    bot = await services.bot()
    text = questions.plain_text(str(message.get("text") or ""), bot.user_id)
    if sentence := questions.why_not(services.settings, text):
        raise BadInput(f"I can't answer that message. {sentence}")
    await _check_can_post(services, channel_id)
    ts = str(body.get("message_ts") or message["ts"])
    question = Question(
        key=f"shortcut/{body['trigger_id']}",
        enterprise_id=str((body.get("enterprise") or {}).get("id") or ""),
        team_id=str((body.get("team") or {}).get("id") or ""),
        channel_id=channel_id,
        thread_ts=str(message.get("thread_ts") or ts),
        ts=ts,
        person_id=str(body["user"]["id"]),
        text=text,
        surface=Surface.SHORTCUT,
        visibility=questions.visibility_of(channel_id, None),
    )
    await services.inbox.keep(Arrival(question.key, ASK, asdict(question)))
    await ack()


async def _check_can_post(services: Services, channel_id: str) -> None:
    try:
        found = await services.slack.conversations_info(channel=channel_id)
    except SlackApiError as error:
        raise BadInput(f"I can't read that conversation ({posting.error_of(error)}). Invite me to it first.") from error
    channel = found.get("channel") or {}
    if not channel.get("is_im") and not channel.get("is_member"):
        raise BadInput("I am not in that channel, so I can't answer there. Invite me first: `/invite @nightschool`.")
    # Somebody else wrote the message, so it counts as private unless everyone can read it anyway.
    services.channels[channel_id] = bool(channel.get("is_private") or channel.get("is_im"))
