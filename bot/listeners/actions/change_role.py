"""“Change a role” in the Home tab."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import permissions
from bot.blocks.role import role_modal
from bot.services import Services


async def change_role(ack: AsyncAck, body: dict[str, Any], services: Services) -> None:
    """Ask for the person and the role."""
    await permissions.require_admin(services, str(body["user"]["id"]))
    await services.slack.views_open(trigger_id=body["trigger_id"], view=role_modal())
    await ack()
