"""“Ask Nightschool about this”: answers somebody's message in its thread, for all who read it."""

from dataclasses import asdict
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import questions
from bot.conversation import SWITCHED_OFF
from bot.inbox import ASK
from bot.membership import require_membership
from bot.services import Services
from store import channels
from store.errors import BadInput
from store.inbox import Arrival
from store.tickets import Question
from store.words import Answering, Surface


async def ask_about_message(ack: AsyncAck, body: dict[str, Any], services: Services) -> None:
    """Store the question; the worker answers it."""
    message, channel_id = body["message"], str(body["channel"]["id"])
    bot = await services.bot()
    text = questions.plain_text(str(message.get("text") or ""), bot.user_id)
    if sentence := questions.why_not(services.settings, text):
        raise BadInput(f"I can't answer that message. {sentence}")
    team_id = str((body.get("team") or {}).get("id") or "")
    chosen = await services.store.read(channels.settings_of, team_id, channel_id)
    if chosen.answering == Answering.OFF:
        raise BadInput(SWITCHED_OFF)
    await require_membership(services, channel_id)
    ts = str(body.get("message_ts") or message["ts"])
    question = Question(
        key=f"shortcut/{body['trigger_id']}",
        enterprise_id=str((body.get("enterprise") or {}).get("id") or ""),
        team_id=team_id,
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
