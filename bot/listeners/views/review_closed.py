"""The reviewer's modal was closed: what it showed is free for others again."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import home
from bot.metadata import ReviewFlow
from bot.services import Services
from store import review_claims


async def review_closed(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], services: Services) -> None:
    """Give the claim back, whoever closed it: a claim of someone else is not touched."""
    person_id = str(body["user"]["id"])
    flow = ReviewFlow.load(str(view.get("private_metadata") or ""))
    await services.store.write(review_claims.release, flow.answer_id, person_id)
    await ack()
    services.spawn(home.publish(services, person_id))
