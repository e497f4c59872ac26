"""What an admin can do with a version in the Home tab: promote, try, canary, discard, roll back."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.models.views import View
from sqlmodel import Session

from bot import home, permissions, promoting, trying
from bot.blocks.canary import canary_modal
from bot.blocks.home.versions import Step, parse_step
from bot.blocks.step import step_modal
from bot.metadata import StepPlace
from bot.services import Services
from store import adapters, canaries, evaluations
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
    elif step == Step.STOP_CANARY:
        await services.store.write(canaries.stop, "", person_id, name)
        services.spawn(home.publish(services, person_id))
    elif step == Step.TAKE_BACK:
        await services.store.write(adapters.take_back, name, person_id)
        services.spawn(home.publish(services, person_id))
    else:
        view = await services.store.read(step_view, step, name, person_id)
        await services.slack.views_open(trigger_id=body["trigger_id"], view=view)
    await ack()


def step_view(session: Session, step: Step, name: str, person_id: str) -> View:
    """The question back before a step, if it can be taken at all.

    Raises:
        NotFound, BadInput: it cannot.
    """
    place = StepPlace(step.value, name).dump()
    if step == Step.ROLL_BACK:
        return step_modal(step, promoting.rollback(session, name, person_id).adapter, place)
    if step == Step.CANARY:
        canaries.check(session, name)
        return canary_modal(name, place)
    if step == Step.DISCARD:
        adapters.check_discardable(session, name)
        return step_modal(step, name, place)
    promoting.check_promotable(session, name)
    return step_modal(step, name, place, against_evidence=evaluations.advises_against(session, name))
