"""“Set up a channel” in the Home tab."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import permissions
from bot.blocks.channel import choose_channel_modal
from bot.services import Services


async def choose_channel(ack: AsyncAck, body: dict[str, Any], services: Services) -> None:
    """Ask which channel."""
    await permissions.require_admin(services, str(body["user"]["id"]))
    await services.slack.views_open(trigger_id=body["trigger_id"], view=choose_channel_modal())
    await ack()
