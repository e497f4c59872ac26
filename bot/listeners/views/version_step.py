"""An admin's step with a version, as submitted with a note."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from sqlmodel import Session

from bot import home, permissions, promoting
from bot.blocks.home.versions import Step
from bot.blocks.step import NOTE_FIELD
from bot.listeners.views.values import typed
from bot.metadata import StepPlace
from bot.promoting import Move
from bot.services import Services
from store import adapters
from store.errors import NightschoolError


async def version_step(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], services: Services) -> None:
    """Take the step, or say in the modal why it cannot be taken (any more)."""
    person_id, note = str(body["user"]["id"]), typed(view, NOTE_FIELD)
    await permissions.require_admin(services, person_id)
    place = StepPlace.load(str(view.get("private_metadata") or ""))
    try:
        if place.step == Step.DISCARD:
            await services.store.write(adapters.discard, place.name, person_id, note)
            services.spawn(home.publish(services, person_id))
        else:
            move = await services.store.read(_move, place, person_id, note)
            # By the view's id: however often one form is sent, it is one wish.
            await promoting.wish(services, move, str(view["id"]))
    except NightschoolError as error:
        await ack(response_action="errors", errors={NOTE_FIELD: str(error)})
        return
    await ack()


def _move(session: Session, place: StepPlace, person_id: str, note: str) -> Move:
    make = promoting.promotion if place.step == Step.PROMOTE else promoting.rollback
    return make(session, place.name, person_id, note)
