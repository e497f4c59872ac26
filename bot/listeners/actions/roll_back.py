"""“Roll back” in the Home tab."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import permissions, promoting
from bot.services import Services


async def roll_back(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Store the wish and show that it is being done."""
    person_id = str(body["user"]["id"])
    await permissions.require_admin(services, person_id)
    move = await services.store.read(promoting.rollback, str(action.get("value") or ""), person_id)
    await promoting.wish(services, move, str(action.get("action_ts")))
    await ack()
