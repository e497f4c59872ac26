"""“Promote” on the morning card or in the Home tab."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import permissions, promoting
from bot.blocks.home.versions import Step
from bot.listeners.actions.version_step import step_view
from bot.services import Services
from store import evaluations


async def promote_version(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Store the wish and show that it is being done; against the evidence, ask for the reason first."""
    person_id, name = str(body["user"]["id"]), str(action.get("value") or "")
    await permissions.require_admin(services, person_id)
    if await services.store.read(evaluations.advises_against, name):
        view = await services.store.read(step_view, Step.PROMOTE, name, person_id)
        await services.slack.views_open(trigger_id=body["trigger_id"], view=view)
    else:
        move = await services.store.read(promoting.promotion, name, person_id)
        await promoting.wish(services, move, str(action.get("action_ts")))
    await ack()
