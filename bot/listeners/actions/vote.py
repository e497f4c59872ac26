"""👍 and 👎 under an answer: stored first; a 👎 then asks why, a 👍 is thanked for."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import telling
from bot.blocks.feedback import reason_modal
from bot.metadata import FeedbackPlace
from bot.services import Services
from bot.voting import Click, cast_by_click
from store.words import VoteValue


async def vote(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Store the vote; the modal has to open within three seconds of the click."""
    container = body.get("container") or {}
    click = Click(
        person_id=str(body["user"]["id"]),
        channel_id=str(container.get("channel_id") or ""),
        message_ts=str(container.get("message_ts") or ""),
        value=str(action.get("value") or ""),
        ephemeral=bool(container.get("is_ephemeral")),
    )
    await services.running.settled(click.channel_id, str(container.get("thread_ts")))
    stored = await services.store.write(cast_by_click, click)
    await ack()
    if stored.value == VoteValue.DOWN:
        place = FeedbackPlace(stored.answer_id, click.channel_id, str(container.get("thread_ts") or ""))
        await services.slack.views_open(trigger_id=body["trigger_id"], view=reason_modal(place.dump()))
    else:
        services.spawn(telling.tell(services, body, "Thank you, noted. 👍"))
