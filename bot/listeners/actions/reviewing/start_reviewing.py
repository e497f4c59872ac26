"""“Start reviewing”: opens the modal flow at the first answer of the queue."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import permissions, review_views, reviewing
from bot.services import Services


async def start_reviewing(ack: AsyncAck, body: dict[str, Any], services: Services) -> None:
    """Claim the first answer and open the modal; it says so when nothing waits."""
    person_id = str(body["user"]["id"])
    await permissions.require_reviewer(services, person_id)
    view = await services.store.write(reviewing.begin, reviewing.Desk(services.settings, person_id))
    await review_views.open_flow(services, body, view)
    await ack()
