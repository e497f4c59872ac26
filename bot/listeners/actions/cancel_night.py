"""“Cancel this night” in the Home tab."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import home, permissions
from bot.services import Services
from store import nights


async def cancel_night(ack: AsyncAck, body: dict[str, Any], services: Services) -> None:
    """Record who wants the night to end; whoever carries it out sees that within a second or two."""
    person_id = str(body["user"]["id"])
    await permissions.require_admin(services, person_id)
    await services.store.write(nights.cancel, person_id)
    await ack()
    services.spawn(home.publish(services, person_id))
