"""`/ask`: a question whose answer only the asker sees."""

from dataclasses import asdict
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import questions
from bot.inbox import ASK
from bot.services import Services
from store.inbox import Arrival
from store.tickets import Question
from store.words import Surface, Visibility

LOOKING = "Let me see … only you will see the answer."


async def ask(ack: AsyncAck, body: dict[str, Any], services: Services) -> None:
    """Store the question, say that it is being answered; the answer follows at the response URL."""
    text = questions.plain_text(str(body.get("text") or ""))
    if sentence := questions.why_not(services.settings, text):
        await ack(text=sentence, response_type="ephemeral")
        return
    key = f"command/{body['trigger_id']}"
    question = Question(
        key=key,
        enterprise_id=str(body.get("enterprise_id") or ""),
        team_id=str(body["team_id"]),
        channel_id=str(body["channel_id"]),
        thread_ts=key,
        ts=key,
        person_id=str(body["user_id"]),
        text=text,
        surface=Surface.COMMAND,
        visibility=Visibility.DIRECT,
        response_url=str(body["response_url"]),
    )
    await services.inbox.keep(Arrival(key, ASK, asdict(question)))
    await ack(text=LOOKING, response_type="ephemeral")
