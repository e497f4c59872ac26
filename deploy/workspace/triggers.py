"""Short-lived permissions that an interaction gives the app: trigger ids, which open modals, and response URLs."""

import secrets
import time
from dataclasses import dataclass, field

from .errors import SlackError
from .faults import Faults

RESPONSE_USES = 5


@dataclass
class Trigger:
    """What a trigger id stands for: a click of this person, maybe within a view."""

    user_id: str
    view_id: str | None
    deadline: float
    used: bool = False


@dataclass
class Triggers:
    """The trigger ids that were given out; each opens one modal within `life_s` seconds."""

    life_s: float
    faults: Faults
    _given: dict[str, Trigger] = field(default_factory=dict)

    def new(self, user_id: str, view_id: str | None = None) -> str:
        """A new trigger id."""
        now = time.monotonic()
        self._given = {key: kept for key, kept in self._given.items() if kept.deadline > now - 600}
        trigger_id = f"{time.time_ns() // 1_000_000}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        deadline = now - 1 if self.faults.take_trigger() else now + self.life_s
        self._given[trigger_id] = Trigger(user_id, view_id, deadline)
        return trigger_id

    def exchange(self, trigger_id: str) -> Trigger:
        """Use a trigger id up; raises Slack's three errors for ids that are unknown, used or too old."""
        trigger = self._given.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if trigger.deadline < time.monotonic():
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger


@dataclass
class Reply:
    """What a response URL answers to: a person's click on a message, or their command in a channel."""

    user_id: str
    channel: str
    ts: str | None
    thread_ts: str | None
    deadline: float
    uses: int = 0


@dataclass
class ResponseUrls:
    """The response URLs that were given out; each takes five answers within `life_s` seconds."""

    life_s: float
    _given: dict[str, Reply] = field(default_factory=dict)

    def new(self, user_id: str, channel: str, ts: str | None = None, thread_ts: str | None = None) -> str:
        """The key of a new response URL; `ts` is the message that was clicked."""
        key = f"{secrets.randbelow(10**12)}/{secrets.token_urlsafe(18)}"
        self._given[key] = Reply(user_id, channel, ts, thread_ts, time.monotonic() + self.life_s)
        return key

    def use(self, key: str) -> Reply:
        """Count one use; raises `expired_url` or `used_url`."""
        reply = self._given.get(key)
        if reply is None or reply.deadline < time.monotonic():
            raise SlackError("expired_url")
        if reply.uses >= RESPONSE_USES:
            raise SlackError("used_url")
        reply.uses += 1
        return reply
