"""Which channel an admin wants to set up, as submitted; the same modal then shows its settings."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError

from bot import permissions
from bot.blocks.channel import CHANNEL_FIELD, channel_modal
from bot.listeners.views.values import picked
from bot.services import Services
from store import channels

NOT_IN = "I am not in that channel. Invite me first: /invite @nightschool"
NO_CHANNEL = "Choose a channel; direct messages have no settings."


async def choose_channel(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], services: Services) -> None:
    """Show the settings, or say why this channel has none."""
    await permissions.require_admin(services, str(body["user"]["id"]))
    channel_id = picked(view, CHANNEL_FIELD)
    if sentence := await _why_not(services, channel_id):
        await ack(response_action="errors", errors={CHANNEL_FIELD: sentence})
        return
    team_id = str((body.get("team") or {}).get("id") or "")
    channel = await services.store.read(channels.settings_of, team_id, channel_id)
    await ack(response_action="update", view=channel_modal(channel))


async def _why_not(services: Services, channel_id: str) -> str:
    if not channel_id:
        return NO_CHANNEL
    try:
        found = (await services.slack.conversations_info(channel=channel_id)).get("channel") or {}
    except SlackApiError:
        return NOT_IN
    if found.get("is_im") or found.get("is_mpim"):
        return NO_CHANNEL
    return "" if found.get("is_member") else NOT_IN
