"""“Hold” on the morning card: an admin has seen it and leaves production as it is."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import cards, permissions
from bot.listeners.numbers import number_in
from bot.services import Services
from store import outbox


async def hold_version(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Write on the card who holds; it can still be promoted later."""
    person_id = str(body["user"]["id"])
    await permissions.require_admin(services, person_id)
    night_id = number_in(action)
    await services.store.write(outbox.annotate, cards.card_key(night_id), {"held_by": person_id})
    await ack()
    services.spawn(cards.refresh(services, night_id))
