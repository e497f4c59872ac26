"""The live feed of the page: what happens is sent to every open page of the people who may see it."""

import asyncio
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from .wire import Json

QUEUE_LIMIT = 2000
KEEP_ALIVE_S = 15.0


class Subscription:
    """One open page of one person."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()

    async def next(self) -> str | None:
        """The next event as JSON, "" when nothing happened for a while, None when the feed is over."""
        try:
            return await asyncio.wait_for(self._queue.get(), KEEP_ALIVE_S)
        except TimeoutError:
            return ""

    def put(self, line: str | None) -> None:
        """Queue one event; a page that stopped reading is told to end."""
        self._queue.put_nowait(None if self._queue.qsize() > QUEUE_LIMIT else line)


class Feed:
    """Everyone who watches."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []

    @contextmanager
    def subscription(self, user_id: str) -> Iterator[Subscription]:
        """Watch as a person for as long as the block runs."""
        subscription = Subscription(user_id)
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)

    def publish(self, event: Json, to: Collection[str] | None = None) -> None:
        """Send an event to the pages of the people in `to`, or to all pages."""
        watching = [each for each in self._subscriptions if to is None or each.user_id in to]
        if watching:
            line = json.dumps(event)
            for each in watching:
                each.put(line)

    def watched(self) -> bool:
        """Whether any page is open."""
        return bool(self._subscriptions)

    def close(self) -> None:
        """End every page's feed."""
        for each in self._subscriptions:
            each.put(None)
