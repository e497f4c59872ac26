"""“Stop trying”: production answers the admin's direct messages again."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import home, permissions, telling
from bot.services import Services
from store import trials

STOPPED = "Stopped. Your direct messages are answered by production again."
OVER = "You are not trying any version: production answers you already."


async def stop_trial(ack: AsyncAck, body: dict[str, Any], services: Services) -> None:
    """End the person's own trial."""
    person_id = str(body["user"]["id"])
    await permissions.require_admin(services, person_id)
    ended = await services.store.write(trials.stop, person_id)
    await ack()
    if (body.get("container") or {}).get("type") == "message":
        services.spawn(telling.tell(services, body, STOPPED if ended else OVER))
    services.spawn(home.publish(services, person_id))
