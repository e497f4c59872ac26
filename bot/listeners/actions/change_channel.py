"""“Change” beside a channel in the Home tab."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import permissions
from bot.blocks.channel import channel_modal
from bot.services import Services
from store import channels


async def change_channel(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Open the channel's settings."""
    await permissions.require_admin(services, str(body["user"]["id"]))
    team_id, channel_id = str((body.get("team") or {}).get("id") or ""), str(action.get("value") or "")
    channel = await services.store.read(channels.settings_of, team_id, channel_id)
    await services.slack.views_open(trigger_id=body["trigger_id"], view=channel_modal(channel))
    await ack()
