"""👍 and 👎 under an answer: stored first and thanked for; a 👎 then asks why."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import telling
from bot.blocks.feedback import THANKS_DOWN, THANKS_UP, reason_modal
from bot.metadata import FeedbackPlace
from bot.posting import Place
from bot.services import Services
from bot.voting import Click, cast_by_click, moment_of
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
        at=moment_of(action.get("action_ts")),
    )
    place = Place(click.channel_id, str(container.get("thread_ts") or ""))
    await services.running.settled(place.channel_id, place.thread_ts)
    counted = await services.store.write(cast_by_click, click)
    await ack()
    down = counted.vote.value == VoteValue.DOWN
    if down:
        metadata = FeedbackPlace(counted.vote.answer_id, place.channel_id, place.thread_ts).dump()
        await services.slack.views_open(trigger_id=body["trigger_id"], view=reason_modal(metadata, counted.vote))
    if counted.changed:
        # Slack sends every click, also one on the thumb that is pressed already: that is thanked for once.
        thanks = THANKS_DOWN if down else THANKS_UP
        services.spawn(telling.whisper(services, place, click.person_id, thanks))
