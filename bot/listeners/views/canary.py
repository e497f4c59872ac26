"""A canary, as an admin submitted it."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import canarying, permissions
from bot.blocks.canary import CHANNELS_FIELD, PEOPLE_FIELD, SHARE_FIELD, SHARES
from bot.canarying import Wish
from bot.listeners.views.values import chosen, many_picked
from bot.metadata import StepPlace
from bot.services import Services
from store.errors import NightschoolError

OF_WHAT = "A canary of all threads would be a promotion. Choose a smaller share, or name channels or people."


async def canary(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], services: Services) -> None:
    """Store the wish, or say in the modal why it cannot be."""
    person_id, share = str(body["user"]["id"]), chosen(view, SHARE_FIELD)
    await permissions.require_admin(services, person_id)
    place = StepPlace.load(str(view.get("private_metadata") or ""))
    if share not in SHARES:
        await ack(response_action="errors", errors={SHARE_FIELD: "Choose a share."})
        return
    channels, people = many_picked(view, CHANNELS_FIELD), many_picked(view, PEOPLE_FIELD)
    if float(share) == 1 and not channels and not people:
        await ack(response_action="errors", errors={SHARE_FIELD: OF_WHAT})
        return
    # By the view's id: however often one form is sent, it is one wish.
    wanted = Wish(f"canary/{place.name}/{view['id']}", person_id, place.name, float(share), channels, people)
    try:
        await canarying.wish(services, wanted)
    except NightschoolError as error:
        await ack(response_action="errors", errors={SHARE_FIELD: str(error)})
        return
    await ack()
