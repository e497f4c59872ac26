"""“Run a night now” in the Home tab."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import home, permissions
from bot.services import Services
from store import nights


async def run_night(ack: AsyncAck, body: dict[str, Any], services: Services) -> None:
    """Ask for a night; the scheduler takes it up within seconds."""
    person_id = str(body["user"]["id"])
    await permissions.require_admin(services, person_id)
    await services.store.write(nights.request, person_id)
    await ack()
    services.spawn(home.publish(services, person_id))
