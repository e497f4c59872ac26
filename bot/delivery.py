"""How an answer reaches Slack while it is written: in as many messages as it takes, or in private at the end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import Protocol

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot import posting
from bot.blocks.answer import Closing, answer_text, closed_answer, closing_blocks
from bot.blocks.content import Content
from bot.safe_text import finished_part
from bot.services import Services
from bot.splitting import PLAIN_CHARACTERS, pieces, safe_pieces
from bot.writing import MessageWriter, Recipient

log = logging.getLogger(__name__)

APPEND_EVERY_S = 0.25
"""Of one answer alone. Slack allows about 100 appends a minute in all, so many answers share the rate."""
UPDATE_EVERY_S = 1.0
PRIVATE_MESSAGES = 4
"""A response URL takes five messages in half an hour (docs.slack.dev, "Handling user interaction")."""
REFUSED = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"}
"""Slack's words for content that it does not take; plain text without blocks it takes always."""

Standing = Callable[[list[str]], Awaitable[None]]


class Delivery(Protocol):
    """One answer on its way: `show` the text so far as often as it grows, then `close` once."""

    @property
    def timestamps(self) -> list[str]:
        """The messages that stand in Slack."""

    def show(self, text: str) -> None:
        """The whole text so far; returns at once."""

    async def close(self, text: str, closing: Closing) -> bool:
        """Bring the messages into their last form; False when somebody has deleted them."""

    async def leave(self) -> None:
        """Send nothing more, and leave what stands to another answer."""

    def abandon(self) -> None:
        """Send nothing more."""


class MessageDelivery:
    """An answer as messages in a thread: streamed, unless they stand there already or Slack does not stream."""

    def __init__(self, services: Services, recipient: Recipient, standing: Standing, known: Sequence[str] = ()) -> None:
        """`standing` is told the timestamps when a message is new; the messages in `known` are updated."""
        self.link_hosts: Collection[str] = services.settings.link_hosts
        self._services = services
        self._to = recipient
        self._standing = standing
        self._known = list(known)
        self._writers = [MessageWriter(services, recipient, ts) for ts in known]
        self._current = 0
        self._text = ""
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        self._sender: asyncio.Task[None] | None = None

    @property
    def timestamps(self) -> list[str]:
        """The messages that stand in Slack."""
        return [writer.ts for writer in self._writers if writer.ts]

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
            await self._send(safe_pieces(finished_part(self._text), self.link_hosts))
            pause = APPEND_EVERY_S if self._writer(self._current).streaming else UPDATE_EVERY_S
            pause *= max(1.0, len(self._services.running) / 2)
            try:
                await asyncio.wait_for(self._closing.wait(), pause)
            except TimeoutError:
                continue

    async def _send(self, shown: list[str]) -> None:
        try:
            while self._current < len(shown) - 1:
                await self._writer(self._current).finish(shown[self._current], None)
                self._current += 1
        except (SlackApiError, ClientError, TimeoutError) as error:
            # Shown again, or in another form, when the answer is closed.
            log.info("a piece of answer %d is not taken: %s", self._to.answer_id, error)
            return
        await self._writer(self._current).show(shown[-1])
        await self._tell_standing()

    def _writer(self, index: int) -> MessageWriter:
        while len(self._writers) <= index:
            self._writers.append(MessageWriter(self._services, self._to))
        return self._writers[index]

    async def _tell_standing(self) -> None:
        if self.timestamps and self.timestamps != self._known:
            self._known = self.timestamps
            await self._standing(self._known)

    async def close(self, text: str, closing: Closing) -> bool:
        """Show the whole text with its buttons; the last word on these messages."""
        await self._settle()
        shown = safe_pieces(text, self.link_hosts)
        for index, piece in enumerate(shown):
            last = index == len(shown) - 1
            try:
                await self._writer(index).finish(piece, closing if last else None)
            except SlackApiError as error:
                if posting.error_of(error) not in REFUSED:
                    raise
                log.warning("answer %d is shown as plain text: %s", closing.answer_id, posting.error_of(error))
                await self._close_plainly(index, "\n".join(pieces(text)[index:]), closing)
                break
            await self._tell_standing()
        else:
            await self._drop_after(len(shown))
        return not any(writer.gone for writer in self._writers)

    async def _close_plainly(self, first: int, rest: str, closing: Closing) -> None:
        texts = [Content(piece) for piece in safe_pieces(rest, limit=PLAIN_CHARACTERS) if piece.strip()]
        below = Content(closing.sentence or "…", closing_blocks(closing))
        for index, content in enumerate([*texts, below]):
            await self._writer(first + index).replace(content)
            await self._tell_standing()
        await self._drop_after(first + len(texts) + 1)

    async def _drop_after(self, count: int) -> None:
        # An answer that is given anew may need fewer messages than the one before.
        surplus, self._writers = self._writers[count:], self._writers[:count]
        for writer in surplus:
            await writer.delete()
        await self._tell_standing()

    async def leave(self) -> None:
        """Send nothing more, and leave what stands to another answer."""
        await self._settle()
        for writer in self._writers:
            if writer.streaming:
                await writer.leave()

    def abandon(self) -> None:
        """Send nothing more by the timer."""
        self._closing.set()
        self._changed.set()

    async def _settle(self) -> None:
        self.abandon()
        if self._sender is not None:
            await self._sender


class PrivateDelivery:
    """An answer that only the asker sees, posted to the response URL of their command when it is complete."""

    def __init__(self, services: Services, response_url: str) -> None:
        """`response_url` takes answers for half an hour."""
        self.timestamps: list[str] = []
        self.link_hosts: Collection[str] = services.settings.link_hosts
        self._webhook = AsyncWebhookClient(response_url, session=services.slack.session)

    def show(self, text: str) -> None:
        """A private answer is shown when it is complete."""

    def abandon(self) -> None:
        """There is nothing to stop: a private answer is sent only by `close`."""

    async def leave(self) -> None:
        """There is nothing to leave either."""

    async def close(self, text: str, closing: Closing) -> bool:
        """Post the answer."""
        for content in private_contents(safe_pieces(text, self.link_hosts), closing):
            await self.send(content)
        return True

    async def send(self, content: Content, *, replacing: bool = False) -> None:
        """Show something to the asker alone, in place of the message that they clicked in if `replacing`."""
        await self._webhook.send(
            text=content.text,
            blocks=content.blocks,
            response_type="ephemeral",
            replace_original=replacing,
            unfurl_links=False,
            unfurl_media=False,
        )


def private_contents(parts: list[str], closing: Closing) -> list[Content]:
    """A private answer, in pieces, as few messages: what does not fit is left out, and said to be."""
    if len(parts) > PRIVATE_MESSAGES:
        left_out = "The answer is longer than Slack lets me show in private. Ask me in a direct message to read it all."
        parts, closing = parts[:PRIVATE_MESSAGES], replace(closing, sentence=left_out)
    return [*(answer_text(part) for part in parts[:-1]), closed_answer(parts[-1], closing)]
