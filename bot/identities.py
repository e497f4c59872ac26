"""Who acts: a member, a guest, somebody of another workspace, a bot, a deactivated account, or nobody at all.

Slack's payloads name a person, but not what they are; `users.info` knows (https://docs.slack.dev/reference/objects/user-object).
It is asked once an hour for each person, and again as soon as Slack says that something about them has changed.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError

from bot import posting, questions, telling
from bot.blocks.content import Content
from bot.posting import Place
from bot.services import Services

log = logging.getLogger(__name__)

KNOWN_FOR_S = 3600.0
SLACKBOT = "USLACKBOT"
"""Slack's own helper; `users.info` does not call it a bot."""

UNKNOWN = {"user_not_found", "user_not_visible", "users_not_found"}
NOT_BY_A_PERSON = {"app_uninstalled", "tokens_revoked", "user_change", "member_joined_channel", "member_left_channel"}
"""Events that tell of somebody without them acting on the bot."""

ANOTHER_WORKSPACE = (
    "I only answer people of the workspace that I belong to, so I can't help you here. "
    "Please ask a person in this channel."
)


class Kind(StrEnum):
    """What somebody is to this workspace."""

    MEMBER = "member"
    GUEST = "guest"
    OTHER_TEAM = "other_team"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    NOBODY = "nobody"


PEOPLE_OF_OURS = frozenset({Kind.MEMBER, Kind.GUEST})


@dataclass(frozen=True)
class Actor:
    """Who did something, and where."""

    person_id: str
    place: Place
    addressed: bool
    """Whether they spoke to the bot, so that silence would be rude."""


async def kind_of(services: Services, person_id: str) -> Kind:
    """What a person is to this workspace.

    Raises:
        SlackApiError: Slack did not say, and may say so later.
    """
    if not person_id:
        return Kind.NOBODY
    known = services.identities.get(person_id)
    if known is not None and known[0] > time.monotonic():
        return Kind(known[1])
    try:
        found = await services.slack.users_info(user=person_id)
        kind = await _kind(services, found["user"])
    except SlackApiError as error:
        if posting.error_of(error) not in UNKNOWN:
            raise
        kind = Kind.NOBODY
    services.identities[person_id] = (time.monotonic() + KNOWN_FOR_S, kind.value)
    return kind


def forget(services: Services, person_id: str) -> None:
    """Ask Slack again when this person acts next."""
    services.identities.pop(person_id, None)


async def _kind(services: Services, user: dict[str, Any]) -> Kind:
    if user.get("deleted"):
        return Kind.DEACTIVATED
    if user.get("is_bot") or user.get("id") == SLACKBOT:
        return Kind.BOT
    bot = await services.bot()
    # Workspaces of one organisation have different teams, and are no strangers to each other.
    enterprise = str((user.get("enterprise_user") or {}).get("enterprise_id") or "")
    if user.get("team_id") not in (None, bot.team_id) and (not enterprise or enterprise != bot.enterprise_id):
        return Kind.OTHER_TEAM
    return Kind.GUEST if user.get("is_restricted") or user.get("is_ultra_restricted") else Kind.MEMBER


async def admit(
    body: dict[str, Any],
    context: AsyncBoltContext,
    services: Services,
    next: Callable[[], Awaitable[None]],
) -> Any:
    """Bolt's middleware before every listener: let only people through who may use the bot at all.

    Members and guests may; bots, deactivated accounts and nobody never; people of another workspace, whom Slack
    Connect brings into a channel, only where the settings allow it, and they are told so when they speak to the bot.
    """
    actor = await _actor(services, body)
    if actor is None:
        return await next()
    kind = await kind_of(services, actor.person_id)
    if kind in PEOPLE_OF_OURS or (kind == Kind.OTHER_TEAM and services.settings.answer_other_teams):
        return await next()
    log.info("%s (%s) may not use the bot", actor.person_id or "nobody", kind.value)
    if kind == Kind.OTHER_TEAM:
        await _decline(services, body, actor)
    return BoltResponse(status=200, body="")


async def _decline(services: Services, body: dict[str, Any], actor: Actor) -> None:
    if body.get("type") != "event_callback":
        await telling.tell(services, body, ANOTHER_WORKSPACE)
    elif actor.addressed:
        await posting.whisper(services, actor.place, actor.person_id, Content(ANOTHER_WORKSPACE))


async def _actor(services: Services, body: dict[str, Any]) -> Actor | None:
    """Who did what a payload tells of; None when it tells of nobody's doing, or follows what was stored before."""
    if body.get("type") != "event_callback":
        person_id = str((body.get("user") or {}).get("id") or body.get("user_id") or "")
        return Actor(person_id, Place(""), addressed=True)
    event = body.get("event") or {}
    if event.get("type") in NOT_BY_A_PERSON or event.get("subtype") in ("message_changed", "message_deleted"):
        return None
    ts = str(event.get("thread_ts") or event.get("ts") or "")
    mentioned = questions.mentions_bot(str(event.get("text") or ""), (await services.bot()).user_id)
    addressed = mentioned or event.get("type") == "app_mention"
    return Actor(str(event.get("user") or ""), Place(str(event.get("channel") or ""), ts), addressed)
