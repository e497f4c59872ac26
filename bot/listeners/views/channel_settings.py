"""The settings of a channel, as an admin submitted them."""

import re
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import home, permissions
from bot.blocks.channel import (
    ANSWERING_FIELD,
    CONFIDENCE_FIELD,
    DOCUMENTS,
    DOCUMENTS_ONLY,
    GROUP_FIELD,
    PERSON_FIELD,
    PERSONA_FIELD,
    TRAINABLE,
    USES_FIELD,
)
from bot.listeners.views.values import chosen, picked, ticked, typed
from bot.services import Services
from store import channels
from store.tables import Channel
from store.words import Answering

GROUP_ID = re.compile(r"S[A-Z0-9]{6,15}")


async def channel_settings(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], services: Services) -> None:
    """Store the settings, or show at each field what is wrong with it."""
    person_id = str(body["user"]["id"])
    await permissions.require_admin(services, person_id)
    if errors := _errors(view):
        await ack(response_action="errors", errors=errors)
        return
    uses = ticked(view, USES_FIELD)
    channel = Channel(
        team_id=str((body.get("team") or {}).get("id") or ""),
        channel_id=str(view.get("private_metadata") or ""),
        answering=Answering(chosen(view, ANSWERING_FIELD)),
        min_confidence=(_percent(typed(view, CONFIDENCE_FIELD)) or 0.0) / 100,
        documents=DOCUMENTS in uses,
        documents_only=DOCUMENTS_ONLY in uses,
        trainable=TRAINABLE in uses,
        persona=typed(view, PERSONA_FIELD),
        on_call=picked(view, PERSON_FIELD) or typed(view, GROUP_FIELD),
    )
    await services.store.write(channels.save, channel, person_id)
    await ack()
    services.spawn(home.publish(services, person_id))


def _errors(view: dict[str, Any]) -> dict[str, str]:
    errors = {}
    if chosen(view, ANSWERING_FIELD) not in list(Answering):
        errors[ANSWERING_FIELD] = "Choose what I answer."
    if _percent(typed(view, CONFIDENCE_FIELD)) is None:
        errors[CONFIDENCE_FIELD] = "Write a number from 0 to 100."
    uses = ticked(view, USES_FIELD)
    if DOCUMENTS_ONLY in uses and DOCUMENTS not in uses:
        errors[USES_FIELD] = "To answer from documents alone, I have to look things up in them."
    if group := typed(view, GROUP_FIELD):
        if picked(view, PERSON_FIELD):
            errors[GROUP_FIELD] = "Choose a person or a user group, not both."
        elif not GROUP_ID.fullmatch(group):
            errors[GROUP_FIELD] = "That is no id of a user group: it looks like S0123ABCD."
    return errors


def _percent(text: str) -> float | None:
    """A percentage as typed, 0 where the field is empty; None when it is none."""
    if not re.fullmatch(r"\d{0,3}(\.\d{0,4})?", text, re.ASCII):
        return None
    number = float(text) if text.strip(".") else 0.0
    return number if number <= 100 else None
