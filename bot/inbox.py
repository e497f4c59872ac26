"""Store, acknowledge, drain: each event that Slack hands us is done exactly once.

Bolt acknowledges an event before its listener has run, and Slack does not send again what was acknowledged; so a
middleware stores every event first, and a worker runs the listeners from the store. If storing fails, nothing is
acknowledged and Slack sends again (https://docs.slack.dev/apis/events-api#retries). Retries are never dropped by
their number: an event sent while we were away arrives only as a retry.
"""

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import psutil
from sqlmodel import Session

from store import inbox
from store.inbox import Arrival, Claimant
from store.session import Store
from store.tables import InboxEvent

log = logging.getLogger(__name__)

EVENT = "event"
ASK = "ask"
RETRY = "retry"
MOVE = "move"
TRY = "try"
CANARY = "canary"
LEASE_S = 15.0
AT_ONCE = 64
LOOK_EVERY_S = 2.0

Doer = Callable[[InboxEvent], Awaitable[None]]


def arrival_of(body: dict[str, Any]) -> Arrival | None:
    """What to store of an Events API payload; None for the echoes that nothing has to be done about.

    A new post is keyed by its channel and ts, since one mention arrives both as `app_mention` and as `message`.
    Everything else is keyed by Slack's event id.
    """
    event = body.get("event") or {}
    if _is_echo(event):
        return None
    key = str(body.get("event_id") or uuid.uuid4())
    if event.get("type") == "app_mention" or (event.get("type") == "message" and _is_new_post(event)):
        key = post_key(str(body.get("team_id") or ""), str(event.get("channel")), str(event.get("ts")))
        if edited := event.get("edited"):
            key += f"/{edited.get('ts')}"
    return Arrival(id=key, kind=EVENT, body=body)


def post_key(team_id: str, channel_id: str, ts: str) -> str:
    """The one key of a message, however often and in whatever form we hear of it."""
    return f"post/{team_id}/{channel_id}/{ts}"


def _is_new_post(event: dict[str, Any]) -> bool:
    return event.get("subtype") in (None, "file_share", "thread_broadcast")


def _is_echo(event: dict[str, Any]) -> bool:
    if event.get("type") not in ("message", "app_mention"):
        return False
    inner = event.get("message") or event.get("previous_message") or event
    if inner.get("bot_id") or inner.get("subtype") == "bot_message":
        return True
    return not _is_new_post(event) and event.get("subtype") not in ("message_changed", "message_deleted")


class Inbox:
    """Stores what arrives and has it done by `doers`, one for each kind, many at the same time."""

    def __init__(self, store: Store, *, lease_s: float = LEASE_S, at_once: int = AT_ONCE) -> None:
        """`lease_s`: after how long another worker takes over from one that fell silent."""
        self._store = store
        name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._claimant = Claimant(name, lease_s)
        self._at_once = at_once
        self._doers: dict[str, Doer] = {}
        self._arriving: list[tuple[Arrival, bool, asyncio.Future[bool]]] = []
        self._storing: asyncio.Task[None] | None = None
        self._working: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._behind = False
        self._draining = False

    def register(self, kind: str, doer: Doer) -> None:
        """Have events of a kind done by `doer`; one that raises is tried again later."""
        self._doers[kind] = doer

    async def keep(self, arrival: Arrival) -> bool:
        """Store an arrival and have it done soon; False when it is known already.

        What arrives while the database is busy is stored together, in one transaction.

        Raises:
            Exception: it could not be stored, so it must not be acknowledged.
        """
        stored = asyncio.get_running_loop().create_future()
        mine = not self._draining and len(self._working) + len(self._arriving) < self._at_once
        self._arriving.append((arrival, mine, stored))
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_arriving())
        return bool(await stored)

    async def _store_arriving(self) -> None:
        while self._arriving:
            batch, self._arriving = self._arriving, []
            try:
                kept = await self._store.write(self._keep_batch, [(arrival, mine) for arrival, mine, _ in batch])
            except Exception as error:
                log.exception("events could not be stored, so Slack will send them again")
                for _, _, stored in batch:
                    stored.set_exception(error)
                continue
            for (_, mine, stored), event in zip(batch, kept, strict=True):
                stored.set_result(event is not None)
                if event is not None and mine:
                    self._start(event)
                elif event is not None:
                    self._behind = True
                    self._wake.set()

    def _keep_batch(self, session: Session, batch: list[tuple[Arrival, bool]]) -> list[InboxEvent | None]:
        kept: list[InboxEvent | None] = []
        for arrival, mine in batch:
            kept += inbox.keep(session, [arrival], self._claimant if mine else None)
        return kept

    def _start(self, event: InboxEvent) -> None:
        task = asyncio.create_task(self._do(event))
        self._working[event.id] = task
        task.add_done_callback(lambda _: self._ended(event.id))

    def _ended(self, event_id: str) -> None:
        self._working.pop(event_id, None)
        if self._behind:
            self._wake.set()

    async def _do(self, event: InboxEvent) -> None:
        try:
            await self._doers[event.kind](event)
            await self._store.write(inbox.finish, event.id)
        except asyncio.CancelledError:
            await asyncio.shield(self._store.write(inbox.hand_back, event.id))
            raise
        except Exception as error:
            log.exception("event %s failed at attempt %d", event.id, event.attempts)
            reason = f"{type(error).__name__}: {error}"
            if not await self._store.write(inbox.retry_later, event.id, event.attempts, reason):
                log.error("event %s is given up after %d attempts: %s", event.id, event.attempts, reason)

    async def work(self) -> None:
        """Do what waits in the store, until cancelled: left over from before, handed back, or to be tried again."""
        await self._store.write(self._release_dead)
        renewing = asyncio.create_task(self._renew())
        try:
            while not self._draining:
                self._wake.clear()
                room = self._at_once - len(self._working)
                claimed = await self._claim(room) if room > 0 else []
                for event in claimed:
                    self._start(event)
                self._behind = room <= 0 or len(claimed) == room
                if room <= 0 or not claimed:
                    await self._sleep()
        finally:
            renewing.cancel()

    def _release_dead(self, session: Session) -> None:
        # After a crash the same machine usually starts the next bot at once: its people need not wait for a lease.
        inbox.release(session, [name for name in inbox.claimants(session) if self._is_dead(name)])

    def _is_dead(self, claimant: str) -> bool:
        host, process, _ = claimant.rsplit(":", 2)
        if host != socket.gethostname() or claimant == self._claimant.name:
            return False
        # In a container every bot is process 1: one of our number that is not us is an earlier one.
        return int(process) == os.getpid() or not psutil.pid_exists(int(process))

    async def _claim(self, room: int) -> list[InboxEvent]:
        try:
            return await self._store.write(inbox.claim, self._claimant, room, list(self._working))
        except Exception:
            log.exception("the inbox could not be read; trying again")
            return []

    async def _sleep(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), LOOK_EVERY_S)
        except TimeoutError:
            return

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._claimant.lease_s / 3)
            if not self._working:
                continue
            try:
                await self._store.write(inbox.renew, self._claimant, list(self._working))
            except Exception:
                log.exception("claims could not be renewed; trying again")

    async def drain(self, patience_s: float) -> None:
        """Take nothing new up, wait for what runs, and hand back to the store what does not end in time."""
        self._draining = True
        self._wake.set()
        if self._working:
            await asyncio.wait(list(self._working.values()), timeout=patience_s)
        for task in list(self._working.values()):
            task.cancel()
        await asyncio.gather(*self._working.values(), return_exceptions=True)
