"""“Review” in the queue: opens the modal flow at this answer."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import permissions, review_views, reviewing
from bot.listeners.numbers import number_in
from bot.services import Services


async def review_answer(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Claim the answer and open the modal, unless this person may not decide on it."""
    person_id = str(body["user"]["id"])
    await permissions.require_reviewer(services, person_id)
    desk = reviewing.Desk(services.settings, person_id)
    view = await services.store.write(reviewing.open_at, desk, number_in(action))
    await review_views.open_flow(services, body, view)
    await ack()
