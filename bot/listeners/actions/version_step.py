"""What an admin can do with a version in the Home tab: promote, try, discard, take back, roll back."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from sqlmodel import Session

from bot import home, permissions, promoting, trying
from bot.blocks.home.versions import Step, parse_step
from bot.blocks.step import step_modal
from bot.metadata import StepPlace
from bot.services import Services
from store import adapters
from store.errors import BadInput


async def version_step(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Open the modal with the note, or do at once what needs none."""
    person_id = str(body["user"]["id"])
    await permissions.require_admin(services, person_id)
    parsed = parse_step(str(action.get("value") or (action.get("selected_option") or {}).get("value") or ""))
    if parsed is None:
        raise BadInput("That button does not belong to a version any more. Open the Home tab anew.")
    step, name = parsed
    if step == Step.TRY:
        await trying.wish(services, person_id, name, str(action.get("action_ts")))
    elif step == Step.TAKE_BACK:
        await services.store.write(adapters.take_back, name)
        services.spawn(home.publish(services, person_id))
    else:
        target = await services.store.read(_target, step, name, person_id)
        view = step_modal(step, target, StepPlace(step.value, name).dump())
        await services.slack.views_open(trigger_id=body["trigger_id"], view=view)
    await ack()


def _target(session: Session, step: Step, name: str, person_id: str) -> str:
    """The version that the step leads to, if it can be taken at all."""
    if step == Step.DISCARD:
        adapters.check_discardable(session, name)
        return name
    make = promoting.promotion if step == Step.PROMOTE else promoting.rollback
    return make(session, name, person_id).adapter
