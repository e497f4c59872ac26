"""How an answer reaches Slack while it is written: as a stream, by updating one message, or in private at the end.

Slack streams by `chat.startStream`, `appendStream`, `stopStream` (https://docs.slack.dev/ai/developing-ai-apps).
A stream dies after some minutes even while text is appended, and a person may stop it; from then on the same message
is updated as a whole. So is a message that stands there already, from before a crash or a retry.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot import posting
from bot.blocks.answer import Closing, answer_text, closed_answer, closing_blocks
from bot.blocks.content import Content
from bot.posting import Place
from bot.safe_text import finished_part, safe_markdown
from bot.services import Services
from store.settings import Settings

log = logging.getLogger(__name__)

APPEND_EVERY_S = 0.25
"""Of one answer alone. Slack allows about 100 appends a minute in all, so many answers share the rate."""
UPDATE_EVERY_S = 1.0
STOPPED_BY_USER = "stopped_by_user"


@dataclass(frozen=True)
class Recipient:
    """To whom and where an answer goes, and what happens as it goes there.

    `standing` is told the ts as soon as the message exists; `stopped` is called when the person has pressed Stop.
    """

    place: Place
    team_id: str
    person_id: str
    answer_id: int
    standing: Callable[[str], Awaitable[None]]
    stopped: Callable[[], None]


class Delivery(Protocol):
    """One answer on its way: `show` the text so far as often as it grows, then `close` once."""

    ts: str

    def show(self, text: str) -> None:
        """The whole text so far; returns at once."""

    async def close(self, text: str, closing: Closing) -> None:
        """Bring the message into its last form."""

    def abandon(self) -> None:
        """Send nothing more."""


class MessageDelivery:
    """An answer as a message in a thread: streamed, unless it stands there already or Slack does not stream."""

    def __init__(self, services: Services, recipient: Recipient, ts: str = "") -> None:
        """With `ts`, the message that stands there is updated."""
        self.ts = ts
        self._services = services
        self._to = recipient
        self._streaming = not ts
        self._text = ""
        self._sent = ""
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        self._sender: asyncio.Task[None] | None = None

    def show(self, text: str) -> None:
        """Have the text so far shown: the first piece at once, later ones on a timer."""
        self._text = text
        self._changed.set()
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_changes())

    async def _send_changes(self) -> None:
        while not self._closing.is_set():
            await self._changed.wait()
            self._changed.clear()
            if self._closing.is_set():
                return
            await self._send(safe_markdown(finished_part(self._text), self._services.settings.link_hosts))
            pause = APPEND_EVERY_S if self._streaming else UPDATE_EVERY_S
            pause *= max(1.0, len(self._services.running) / 2)
            try:
                await asyncio.wait_for(self._closing.wait(), pause)
            except TimeoutError:
                continue

    async def _send(self, shown: str) -> None:
        if not shown.strip() or shown == self._sent:
            return
        try:
            if not self.ts:
                await self._start(shown)
            elif self._streaming and shown.startswith(self._sent):
                await self._services.slack.chat_appendStream(
                    channel=self._to.place.channel_id, ts=self.ts, markdown_text=shown[len(self._sent) :]
                )
            else:
                await self._update(answer_text(shown))
            self._sent = shown
        except SlackApiError as error:
            self._streaming = False
            if posting.error_of(error) == STOPPED_BY_USER:
                self._to.stopped()
            else:
                log.info("answer %d goes on without streaming: %s", self._to.answer_id, posting.error_of(error))
        except (ClientError, TimeoutError) as error:
            # Whether the piece arrived is unknown, so the message is written anew as a whole.
            self._streaming = False
            log.warning("answer %d could not be shown for a moment: %s", self._to.answer_id, error)

    async def _start(self, shown: str) -> None:
        place = self._to.place
        if self._streaming:
            started = await self._services.slack.chat_startStream(
                channel=place.channel_id,
                thread_ts=place.thread_ts,
                markdown_text=shown,
                recipient_team_id=self._to.team_id,
                recipient_user_id=self._to.person_id,
            )
            self.ts = str(started["ts"])
        else:
            self.ts = await posting.post(self._services.slack, place, answer_text(shown), self._metadata)
        await self._to.standing(self.ts)

    @property
    def _metadata(self) -> dict[str, object]:
        return posting.answer_metadata(self._to.answer_id)

    async def _update(self, content: Content) -> None:
        await posting.update(self._services, self._to.place.channel_id, self.ts, content, self._metadata)

    async def close(self, text: str, closing: Closing) -> None:
        """Show the whole text with its buttons; the last word on this message."""
        self.abandon()
        if self._sender is not None:
            await self._sender
        shown = safe_markdown(text, self._services.settings.link_hosts)
        if self._streaming and self.ts and shown.startswith(self._sent) and await self._stop_stream(shown, closing):
            return
        content = closed_answer(shown, closing)
        if self.ts:
            await posting.end_stream(self._services, self._to.place.channel_id, self.ts)
            await self._update(content)
        else:
            self.ts = await posting.post(self._services.slack, self._to.place, content, self._metadata)

    def abandon(self) -> None:
        """Send nothing more by the timer."""
        self._closing.set()
        self._changed.set()

    async def _stop_stream(self, shown: str, closing: Closing) -> bool:
        try:
            await self._services.slack.chat_stopStream(
                channel=self._to.place.channel_id,
                ts=self.ts,
                markdown_text=shown[len(self._sent) :] or None,
                blocks=closing_blocks(closing),
                metadata=self._metadata,
                session_status="active",
            )
        except (SlackApiError, ClientError, TimeoutError) as error:
            log.info("answer %d is closed by an update: %s", self._to.answer_id, error)
            return False
        return True


class PrivateDelivery:
    """An answer that only the asker sees, posted to the response URL of their command when it is complete."""

    def __init__(self, services: Services, response_url: str) -> None:
        """`response_url` takes answers for half an hour (docs.slack.dev, "Handling user interaction")."""
        self.ts = ""
        self._settings: Settings = services.settings
        self._webhook = AsyncWebhookClient(response_url, session=services.slack.session)

    def show(self, text: str) -> None:
        """A private answer is shown when it is complete."""

    def abandon(self) -> None:
        """There is nothing to stop: a private answer is sent only by `close`."""

    async def close(self, text: str, closing: Closing) -> None:
        """Post the answer."""
        content = closed_answer(safe_markdown(text, self._settings.link_hosts), closing)
        await self._webhook.send(
            text=content.text,
            blocks=content.blocks,
            response_type="ephemeral",
            replace_original=False,
            unfurl_links=False,
            unfurl_media=False,
        )
