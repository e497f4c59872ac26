"""Eight who might act on the bot, and what they do as payloads in the shape that Slack documents.

All but the empty one are in the workspace's directory; the deactivated account, the other bot and the stranger are
named in the settings as reviewers and admins, so that nothing but what they are keeps them out.
"""

from dataclasses import replace
from enum import StrEnum
from typing import Any

from deploy.workspace.seed import Person as Someone
from deploy.workspace.seed import Seed
from tests.fixtures_workspace import ANA, MEI, RAVI, SUPPORT, default_seed, switch

Json = dict[str, Any]
TEAM, OTHER_TEAM = "T0LOCAL0001", "T0OTHER0001"
GUEST, GONE, OTHER_BOT, STRANGER = "U0GUEST0001", "U0GONE00001", "U0OTHERBOT1", "U0OTHER0001"


class Identity(StrEnum):
    """Who acts; in the order of the columns of the tables."""

    ASKER = "asker"
    REVIEWER = "reviewer"
    ADMIN = "admin"
    GUEST = "guest"
    DEACTIVATED = "deactivated"
    OTHER_BOT = "other bot"
    STRANGER = "stranger from another team"
    EMPTY = "empty"


IDS = dict(zip(Identity, (ANA, RAVI, MEI, GUEST, GONE, OTHER_BOT, STRANGER, ""), strict=True))


def cast_seed() -> Seed:
    """The product's seed with the other four; in every channel, so that they see whatever there is to act on."""
    seed = default_seed()
    newcomers = (
        Someone(GUEST, "gus", "Gus Guest", is_restricted=True),
        Someone(GONE, "gone", "Gina Gone", deleted=True),
        Someone(OTHER_BOT, "otherbot", "Other Bot", is_bot=True),
        Someone(STRANGER, "sam", "Sam Stranger", team_id=OTHER_TEAM),
    )
    ids = tuple(person.id for person in newcomers)
    channels = tuple(replace(each, members=tuple({*each.members, ANA, *ids})) for each in seed.channels)
    return replace(seed, people=(*seed.people, *newcomers), channels=channels)


def team_of(person_id: str) -> str:
    return OTHER_TEAM if person_id == STRANGER else TEAM


def _base(kind: str, person_id: str) -> Json:
    return {
        "type": kind,
        "user": {"id": person_id, "username": "someone", "name": "someone", "team_id": team_of(person_id)},
        "team": {"id": TEAM, "domain": "local"},
        "api_app_id": "A0NIGHT0001",
        "token": "local",
        "enterprise": None,
        "is_enterprise_install": False,
    }


class Actor:
    """One of the cast; everything they do goes to the bot over its socket."""

    def __init__(self, workspace: Any, identity: Identity) -> None:
        self.workspace = workspace
        self.id = IDS[identity]

    async def _interact(self, payload: Json, reply_to: Json | None = None) -> Json:
        body = {"kind": "interactive", "payload": payload, "trigger_for": self.id, "reply_to": reply_to}
        answer: Json = (await switch(self.workspace, "deliver", **body))["answer"]
        return answer

    async def click(self, place: Json, action: Json) -> Json:
        """Use an element: `place` is a message or a view, `action` what `actions[0]` says."""
        action = {"action_ts": "1.000001", **action}
        if "hash" in place:
            container = {"type": "view", "view_id": place["id"]}
            payload = {**_base("block_actions", self.id), "container": container, "view": place, "actions": [action]}
            return await self._interact(payload)
        channel, ts = place["channel"], place["ts"]
        container = {"type": "message", "message_ts": ts, "channel_id": channel}
        container["is_ephemeral"] = bool(place.get("is_ephemeral"))
        if "thread_ts" in place:
            container["thread_ts"] = place["thread_ts"]
        payload = {
            **_base("block_actions", self.id),
            "container": container,
            "channel": {"id": channel, "name": "support"},
            "message": place,
            "state": {"values": {}},
            "actions": [action],
        }
        return await self._interact(payload, {"user": self.id, "channel": channel, "ts": ts})

    async def submit(self, view: Json, values: Json) -> Json:
        """Submit a modal; `values` is `view.state.values`."""
        filled = {**view, "state": {"values": values}}
        return await self._interact({**_base("view_submission", self.id), "view": filled, "response_urls": []})

    async def close(self, view: Json) -> Json:
        """Close a modal that wants to know."""
        return await self._interact({**_base("view_closed", self.id), "view": view, "is_cleared": False})

    async def shortcut(self, callback_id: str, message: Json | None) -> Json:
        """Run a shortcut, on a message or alone."""
        if message is None:
            return await self._interact({**_base("shortcut", self.id), "callback_id": callback_id, "action_ts": "1.1"})
        payload = {
            **_base("message_action", self.id),
            "callback_id": callback_id,
            "action_ts": "1.1",
            "message_ts": message["ts"],
            "message": message,
            "channel": {"id": message["channel"], "name": "support"},
        }
        return await self._interact(payload, {"user": self.id, "channel": message["channel"], "ts": message["ts"]})

    async def command(self, name: str, text: str) -> Json:
        """Run a slash command in #support."""
        payload = {
            "token": "local",
            "team_id": TEAM,
            "team_domain": "local",
            "channel_id": SUPPORT,
            "channel_name": "support",
            "user_id": self.id,
            "user_name": "someone",
            "command": name,
            "text": text,
            "api_app_id": "A0NIGHT0001",
            "is_enterprise_install": "false",
        }
        body = {"kind": "slash_commands", "payload": payload, "trigger_for": self.id}
        reply_to = {"user": self.id, "channel": SUPPORT}
        answer: Json = (await switch(self.workspace, "deliver", **body, reply_to=reply_to))["answer"]
        return answer

    async def event(self, kind: str, **fields: Any) -> None:
        """Let the bot hear of something that this one did."""
        event = {"type": kind, "user": self.id, **fields}
        if kind in ("message", "app_mention"):
            event = {"team": team_of(self.id), "text": "", **event}
        if self.id == OTHER_BOT and kind in ("message", "app_mention"):
            event |= {"bot_id": "B0OTHER0001", "subtype": "bot_message"}
        await switch(self.workspace, "event", event=event)
