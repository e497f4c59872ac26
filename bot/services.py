"""What the listeners and workers of the bot share: one dataclass, handed to each, instead of globals."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Collection, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from slack_sdk.web.async_client import AsyncWebClient

from bot.inbox import Inbox
from serving.client import ModelClient
from serving.embeddings import Embeddings
from serving.fleet import Fleet
from store.approved import ApprovedAnswers
from store.knowledge.shelf import Shelf
from store.session import Store
from store.settings import Settings
from store.usage import Figures

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bot:
    """Who the bot is in its workspace, as `auth.test` says."""

    user_id: str
    bot_id: str
    team_id: str
    enterprise_id: str = ""


@dataclass
class RunningAnswer:
    """An answer being generated now.

    `stopped` is set when a person has pressed Stop, `replaced` when another answer takes its place and message.
    """

    key: str
    task: "asyncio.Task[None] | None" = None
    stopped: bool = False
    replaced: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """Stop generating; what has come so far is kept."""
        self.stopped = True
        if self.task is not None:
            self.task.cancel()


class RunningAnswers:
    """The answers being generated now, by the thread they belong to."""

    def __init__(self) -> None:
        """None is running."""
        self._by_thread: dict[tuple[str, str], list[RunningAnswer]] = {}

    def __len__(self) -> int:
        return sum(len(thread) for thread in self._by_thread.values())

    @contextmanager
    def entry(self, channel_id: str, thread_ts: str, key: str) -> Iterator[RunningAnswer]:
        """List an answer as running for the time of the block."""
        running = RunningAnswer(key)
        thread = (channel_id, thread_ts)
        self._by_thread.setdefault(thread, []).append(running)
        try:
            yield running
        finally:
            running.ended.set()
            self._by_thread[thread].remove(running)
            if not self._by_thread[thread]:
                del self._by_thread[thread]

    def holds(self, key: str) -> bool:
        """Whether the answer with this key is being generated."""
        return any(running.key == key for thread in self._by_thread.values() for running in thread)

    async def settled(self, channel_id: str, thread_ts: str, patience_s: float = 1.0) -> None:
        """Wait a moment for what runs in a thread: a button may be clicked before its answer is recorded as closed."""
        deadline = time.monotonic() + patience_s
        while (channel_id, thread_ts) in self._by_thread and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    async def replace(self, keys: Collection[str]) -> None:
        """Stop the answers with these keys without a word in Slack, and wait until they have ended."""
        for running in [one for thread in self._by_thread.values() for one in thread if one.key in keys]:
            running.replaced = True
            running.stop()
            await running.ended.wait()

    def stop(self, channel_id: str, thread_ts: str, key: str | None = None) -> int:
        """Stop what runs in a thread, or only the answer with this key; how many were stopped."""
        found = [one for one in self._by_thread.get((channel_id, thread_ts), []) if key in (None, one.key)]
        for running in found:
            running.stop()
        return len(found)


@dataclass
class LastWeek:
    """The usage of the last seven days as it was counted last, for the Home tab."""

    figures: Figures | None = None
    counted_at: float = 0.0
    """On the monotonic clock."""
    counting: bool = False


@dataclass
class Services:
    """Settings, store, model, and Slack, for everything that the bot does."""

    settings: Settings
    store: Store
    client: ModelClient
    fleet: Fleet
    slack: AsyncWebClient
    inbox: Inbox
    running: RunningAnswers = field(default_factory=RunningAnswers)
    approved: ApprovedAnswers = field(default_factory=ApprovedAnswers)
    embeddings: Embeddings = field(init=False)
    shelf: Shelf = field(init=False)
    outbox_wake: asyncio.Event = field(default_factory=asyncio.Event)
    channels: dict[str, bool] = field(default_factory=dict)
    """Whether a channel is private, by its id, for those asked so far."""
    identities: dict[str, tuple[float, str]] = field(default_factory=dict)
    """What people are to this workspace, by their id, and until when (monotonic clock) that holds."""
    last_week: LastWeek = field(default_factory=LastWeek)
    home_watchers: dict[str, float] = field(default_factory=dict)
    """When each admin last opened the Home tab, on the monotonic clock."""
    home_locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    """Held while a person's Home tab is published."""
    not_embeddable: set[str] = field(default_factory=set)
    """Keys of passages that the embeddings server has refused; it is asked again after a restart."""
    _bot: Bot | None = None
    _background: set["asyncio.Task[None]"] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Documents are looked up as the settings say."""
        self.embeddings = Embeddings(self.settings.knowledge)
        self.shelf = Shelf(self.embeddings.model)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Do something after the acknowledgement that may be lost in a crash, such as repainting a view."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.warning("something in the background failed", exc_info=error)

    async def bot(self) -> Bot:
        """Who we are; Slack is asked once.

        Raises:
            SlackApiError: the token is not accepted.
        """
        if self._bot is None:
            known = await self.slack.auth_test()
            self._bot = Bot(
                str(known["user_id"]),
                str(known["bot_id"]),
                str(known["team_id"]),
                str(known.get("enterprise_id") or ""),
            )
        return self._bot
