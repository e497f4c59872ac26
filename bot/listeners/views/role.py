"""A person's role, as an admin submitted it."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from sqlmodel import Session

from bot import home, identities, permissions, telling
from bot.blocks.role import NO_ROLE, PERSON_FIELD, ROLE_FIELD
from bot.identities import Kind
from bot.listeners.views.values import chosen, picked
from bot.services import Services
from store import duties, trials
from store.errors import BadInput
from store.settings import Settings
from store.words import Duty

NEWS = {
    Duty.REVIEWER: "You are a reviewer now: my Home tab shows you the answers that wait for a decision.",
    Duty.ADMIN: "You are an admin now: my Home tab shows you versions, nights, usage, channels and roles.",
}
NO_MEMBER = {
    Kind.NOBODY: "Slack does not know that person.",
    Kind.BOT: "That is a bot. Choose a person.",
    Kind.DEACTIVATED: "That account is deactivated.",
    Kind.GUEST: "Guests and people of other organisations cannot hold a role.",
    Kind.OTHER_TEAM: "Guests and people of other organisations cannot hold a role.",
}


async def role(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], services: Services) -> None:
    """Give or take back the role, or say in the modal why it cannot be."""
    admin_id = str(body["user"]["id"])
    await permissions.require_admin(services, admin_id)
    person_id, wanted = picked(view, PERSON_FIELD), chosen(view, ROLE_FIELD)
    if errors := await _errors(services, person_id, wanted):
        await ack(response_action="errors", errors=errors)
        return
    duty = None if wanted == NO_ROLE else Duty(wanted)
    try:
        await services.store.write(_change, services.settings, person_id, duty, admin_id)
    except BadInput as error:
        await ack(response_action="errors", errors={ROLE_FIELD: str(error)})
        return
    await ack()
    services.spawn(_show(services, admin_id, person_id, duty))


def _change(session: Session, settings: Settings, person_id: str, duty: Duty | None, admin_id: str) -> None:
    if duty is None:
        duties.revoke(session, settings, person_id, admin_id)
    else:
        duties.grant(session, settings, person_id, duty, admin_id)
    if person_id not in duties.duties(session, settings).admins:
        trials.stop(session, person_id)


async def _errors(services: Services, person_id: str, wanted: str) -> dict[str, str]:
    if wanted not in [*Duty, NO_ROLE]:
        return {ROLE_FIELD: "Choose a role."}
    if wanted == NO_ROLE:
        return {}
    sentence = await _why_not(services, person_id)
    return {PERSON_FIELD: sentence} if sentence else {}


async def _why_not(services: Services, person_id: str) -> str:
    """Why a person cannot hold a role: only members of the workspace itself can."""
    if not person_id:
        return "Choose a person."
    kind = await identities.kind_of(services, person_id)
    return "" if kind == Kind.MEMBER else NO_MEMBER[kind]


async def _show(services: Services, admin_id: str, person_id: str, duty: Duty | None) -> None:
    await home.publish(services, admin_id)
    if person_id != admin_id:
        await home.publish(services, person_id)
        if duty is not None:
            await telling.message_person(services, person_id, NEWS[duty])
