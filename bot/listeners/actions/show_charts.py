"""“Show charts” in the Home tab."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import permissions, reporting, telling
from bot.services import Services

ON_THEIR_WAY = "The charts of the last 30 days come to your direct message with me in a few seconds."


async def show_charts(ack: AsyncAck, body: dict[str, Any], services: Services) -> None:
    """Owe the charts to the admin; they are drawn off the event loop."""
    person_id = str(body["user"]["id"])
    await permissions.require_admin(services, person_id)
    await reporting.wish_charts(services, person_id)
    await telling.tell(services, body, ON_THEIR_WAY)
    await ack()
