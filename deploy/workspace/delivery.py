"""Getting payloads to the app: one attempt with an answer, or an event with Slack's retries.

Source: https://docs.slack.dev/apis/events-api (retries: at once, after one minute, after five).
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from .errors import NotDelivered
from .wire import Json


class PayloadKind(StrEnum):
    """The envelope types of Socket Mode."""

    EVENT = "events_api"
    INTERACTIVE = "interactive"
    COMMAND = "slash_commands"


@dataclass(frozen=True)
class Delivery:
    """One attempt to hand a payload to the app."""

    kind: PayloadKind
    payload: Json
    attempt: int = 0
    reason: str = ""


class Transport(Protocol):
    """A way to the app: Socket Mode, or signed HTTP requests."""

    @property
    def connected(self) -> bool:
        """Whether an attempt could succeed now."""

    async def send(self, delivery: Delivery) -> Json:
        """Hand over a payload and give the app's answer; raises NotDelivered without an acknowledgement in time."""

    async def close(self) -> None:
        """Let go of connections."""


@dataclass
class Courier:
    """Brings payloads to the app by one transport; events are retried, clicks and commands are not."""

    transport: Transport
    retry_delays_s: tuple[float, ...]
    failed: list[Json] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def connected(self) -> bool:
        """Whether the app can be reached now."""
        return self.transport.connected

    async def ask(self, kind: PayloadKind, payload: Json) -> Json:
        """Hand over an interaction and give the app's answer, `{}` when it answered nothing.

        Raises:
            NotDelivered: the app is not connected or did not acknowledge in time.
        """
        return await self.transport.send(Delivery(kind, payload))

    def event(self, payload: Json) -> None:
        """Send an event in the background, retried until acknowledged or given up (then it is in `failed`)."""
        self.background(self._event(payload))

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something until it is done or the workspace closes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _event(self, payload: Json) -> None:
        reason = ""
        for attempt, delay_s in enumerate((0.0, *self.retry_delays_s)):
            if attempt:
                await asyncio.sleep(delay_s)
            try:
                await self.transport.send(Delivery(PayloadKind.EVENT, payload, attempt, reason))
            except NotDelivered as missing:
                reason = str(missing)
            else:
                return
        self.failed.append(payload)

    async def close(self) -> None:
        """Stop retrying and let go of the app."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.transport.close()
