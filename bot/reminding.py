"""Some hours after an answer that nobody voted on or marked as solved, its asker is asked once whether it helped."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from slack_sdk.models.blocks import Block
from sqlmodel import Session

from bot import posting
from bot.blocks.content import Content, section
from bot.blocks.feedback import feedback_buttons
from bot.posting import Place
from bot.safe_text import plain_label
from bot.services import Services
from store import answers, reminders
from store.reminders import Window
from store.tables import Answer, OutboxMessage, Ticket, now
from store.words import Surface, TicketStatus, Visibility

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
STILL_KEPT_IN_MIND = timedelta(days=2)
"""Nobody is asked about answers older than this: after a pause of the bot that would be a flood."""
BATCH = 50


class Reminders:
    """Looks from time to time for answers without an opinion; `once` is one look."""

    def __init__(self, services: Services, clock: Callable[[], datetime] = now) -> None:
        """`clock` tells the time, aware."""
        self._services = services
        self._clock = clock

    async def work(self) -> None:
        """Owe reminders as they fall due, until cancelled."""
        while True:
            try:
                await self.once()
            except Exception:
                log.exception("reminders could not be looked for; trying again")
            await asyncio.sleep(LOOK_EVERY_S)

    async def once(self) -> int:
        """Owe the reminders that are due now; how many."""
        hours = self._services.settings.remind_after_h
        if hours <= 0:
            return 0
        moment = self._clock()
        until = moment - timedelta(hours=hours)
        window = Window(until - STILL_KEPT_IN_MIND, until)
        owed: int = await self._services.store.write(reminders.owe_due, window, moment, BATCH)
        if owed:
            self._services.outbox_wake.set()
        return owed


async def post_reminder(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Ask the asker in their direct message, unless the ticket has been settled meanwhile."""
    answer, ticket = await services.store.read(_answer, int(message.payload["answer_id"]))
    if ticket.status != TicketStatus.ANSWERED:
        return Place(ticket.channel_id)
    content = await _content(services, answer, ticket)
    if ticket.surface == Surface.DIRECT_MESSAGE:
        place = Place(ticket.channel_id, ticket.thread_ts)
    else:
        opened = await services.slack.conversations_open(users=ticket.asker_id)
        place = Place(str(opened["channel"]["id"]))
    ts = await posting.post_once(services, place, content, message.key, again=again)
    return Place(place.channel_id, ts)


def _answer(session: Session, answer_id: int) -> tuple[Answer, Ticket]:
    return answers.with_ticket(session, answer_id)


async def _content(services: Services, answer: Answer, ticket: Ticket) -> Content:
    asked = plain_label(ticket.question, 150)
    if ticket.visibility != Visibility.DIRECT:
        link = await posting.permalink(services, Place(ticket.channel_id, ticket.thread_ts))
        asked = f"<{link}|{asked}>" if link else asked
    said = f"Did my answer help? You asked: {asked}. A 👍 or 👎 is all I need, and I won't ask again."
    blocks: list[Block] = [section(said), feedback_buttons(answer.id or 0)]
    return Content("Did my answer help?", blocks)
