"""One message of an answer while it is written: streamed, or updated as a whole where it cannot be streamed.

Slack streams by `chat.startStream`, `appendStream`, `stopStream` (https://docs.slack.dev/ai/developing-ai-apps).
A stream dies after some minutes even while text is appended, and a person may stop it; from then on the same message
is updated as a whole. So is a message that stands there already, from before a crash or a retry.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError

from bot import posting
from bot.blocks.answer import Closing, answer_text, closed_answer, closing_blocks
from bot.blocks.content import Content
from bot.posting import Place
from bot.services import Services
from bot.session_status import ACTIVE, show_status

log = logging.getLogger(__name__)

STOPPED_BY_USER = "stopped_by_user"


@dataclass(frozen=True)
class Recipient:
    """To whom and where an answer goes; `stopped` is called when a person has pressed Stop, or deleted the message."""

    place: Place
    team_id: str
    person_id: str
    answer_id: int
    stopped: Callable[[], None]


class MessageWriter:
    """One message. `ts` is empty until it stands in Slack; `gone` says that somebody deleted it since."""

    def __init__(self, services: Services, recipient: Recipient, ts: str = "") -> None:
        """With `ts`, the message that stands there is updated."""
        self.ts = ts
        self.gone = False
        self.streaming = not ts
        self._slack = services.slack
        self._services = services
        self._to = recipient
        self._sent = ""

    async def show(self, shown: str) -> None:
        """Bring what was written so far into the message; what fails is shown with the next piece."""
        if not shown.strip() or shown == self._sent or self.gone:
            return
        try:
            await self._send(shown)
            self._sent = shown
        except SlackApiError as error:
            self._take_refusal(posting.error_of(error))
        except (ClientError, TimeoutError) as error:
            # Whether the piece arrived is unknown, so the message is written anew as a whole.
            self.streaming = False
            log.warning("answer %d could not be shown for a moment: %s", self._to.answer_id, error)

    def _take_refusal(self, error: str) -> None:
        self.streaming = False
        self.gone = error in posting.GONE
        if self.gone or error == STOPPED_BY_USER:
            self._to.stopped()
        else:
            log.info("answer %d goes on without streaming: %s", self._to.answer_id, error)

    async def _send(self, shown: str) -> None:
        if not self.ts:
            await self._start(shown)
        elif self.streaming and shown.startswith(self._sent):
            more = shown[len(self._sent) :]
            await self._slack.chat_appendStream(channel=self._to.place.channel_id, ts=self.ts, markdown_text=more)
        else:
            await self._update(answer_text(shown))

    async def _start(self, shown: str) -> None:
        place = self._to.place
        if not self.streaming:
            self.ts = await posting.post(self._slack, place, answer_text(shown), self._metadata)
            return
        started = await self._slack.chat_startStream(
            channel=place.channel_id,
            thread_ts=place.thread_ts,
            markdown_text=shown,
            recipient_team_id=self._to.team_id,
            recipient_user_id=self._to.person_id,
        )
        self.ts = str(started["ts"])

    async def finish(self, shown: str, closing: Closing | None) -> None:
        """Bring the message into its last form; only an answer's last message has a `closing`.

        Raises:
            SlackApiError: Slack refuses the message as it is.
        """
        if self.gone or (shown == self._sent and closing is None and not self.streaming):
            return
        if self.streaming and self.ts and shown.startswith(self._sent) and await self._stop_stream(shown, closing):
            return
        await self.replace(closed_answer(shown, closing) if closing else answer_text(shown))
        self._sent = shown
        if closing:
            await show_status(self._services, self._to.place, ACTIVE)

    async def replace(self, content: Content) -> None:
        """Let the message show this, whatever it showed before.

        Raises:
            SlackApiError: Slack refuses the content.
        """
        if self.ts:
            await self.leave()
            await self._update(content)
            return
        self.streaming = False
        try:
            self.ts = await posting.post(self._slack, self._to.place, content, self._metadata)
        except SlackApiError as error:
            if posting.error_of(error) not in posting.GONE:
                raise
            self.gone = True

    async def delete(self) -> None:
        """Take the message out of Slack."""
        if self.ts:
            await posting.delete(self._services, self._to.place.channel_id, self.ts)

    async def leave(self) -> None:
        """End the stream and leave the message as it stands."""
        if self.ts:
            await posting.end_stream(self._services, self._to.place.channel_id, self.ts)
            self.streaming = False

    async def _update(self, content: Content) -> None:
        stands = await posting.update(self._services, self._to.place.channel_id, self.ts, content, self._metadata)
        if not stands:
            self._take_refusal("message_not_found")

    @property
    def _metadata(self) -> dict[str, object]:
        return posting.answer_metadata(self._to.answer_id)

    async def _stop_stream(self, shown: str, closing: Closing | None) -> bool:
        try:
            await self._slack.chat_stopStream(
                channel=self._to.place.channel_id,
                ts=self.ts,
                markdown_text=shown[len(self._sent) :] or None,
                blocks=closing_blocks(closing) if closing else None,
                metadata=self._metadata,
                session_status=ACTIVE if closing else None,
            )
        except (SlackApiError, ClientError, TimeoutError) as error:
            log.info("answer %d is closed by an update: %s", self._to.answer_id, error)
            return False
        self.streaming, self._sent = False, shown
        return True
