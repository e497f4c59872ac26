"""“Share with the channel”: a private answer becomes a thread of the channel, as the asker's question, once."""

import logging
from dataclasses import replace

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block
from sqlmodel import Session

from bot import posting
from bot.blocks.answer import Closing
from bot.blocks.content import Content, section
from bot.clicks import Click, clicked_answer
from bot.closing import closing_of
from bot.delivery import MessageDelivery, PrivateDelivery
from bot.membership import require_membership
from bot.posting import Place
from bot.safe_text import plain_label, quoted
from bot.services import Services
from bot.writing import Recipient
from store import answers, helping, outbox, tickets
from store.errors import BadInput
from store.settings import Settings
from store.tables import Answer, OutboxMessage, Ticket
from store.words import Visibility

log = logging.getLogger(__name__)

KIND = "shared_answer"
SHARED = "This answer is in the channel already."
NOT_SHARED = "I can't write in that channel, so nothing was shared. Invite me to it, then ask me again by `/ask`."


async def share(services: Services, click: Click) -> None:
    """Owe the channel the asker's question with its answer.

    Raises:
        BadInput: it is there already, or the bot is not in the channel.
    """
    await require_membership(services, click.channel_id)
    private = services.channels[click.channel_id]
    visibility = Visibility.PRIVATE if private else Visibility.PUBLIC
    await services.store.write(_owe, click, visibility)
    services.outbox_wake.set()


def _owe(session: Session, click: Click, visibility: Visibility) -> None:
    ticket = clicked_answer(session, click)[1]
    payload = {"answer_id": click.answer_id, "visibility": visibility.value, "response_url": click.response_url}
    if not tickets.is_private(ticket) or not outbox.owe(session, f"{KIND}-{click.answer_id}", KIND, payload):
        raise BadInput(SHARED)


async def post_shared(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Post the question as a message of the channel, and the answer into its thread."""
    answer_id = int(message.payload["answer_id"])
    answer, ticket, closing = await services.store.read(_gather, services.settings, answer_id)
    if not tickets.is_private(ticket):
        return Place(ticket.channel_id, ticket.thread_ts)
    response_url = str(message.payload["response_url"])
    place = Place(ticket.channel_id)
    try:
        root_ts = await posting.post_once(services, place, question_of(ticket), message.key, again=again)
    except SlackApiError as error:
        if posting.error_of(error) not in posting.UNREACHABLE:
            raise
        await _tell(response_url, services, NOT_SHARED)
        return place
    thread = Place(ticket.channel_id, root_ts)
    timestamps = await _answer(services, answer, thread, replace(closing, shareable=False), again=again)
    visibility = Visibility(message.payload["visibility"])
    await services.store.write(helping.share, answer_id, visibility, [root_ts, *timestamps])
    link = await posting.permalink(services, thread)
    await _tell(response_url, services, f"Shared: <{link}|it is in the channel now>." if link else SHARED)
    return thread


def _gather(session: Session, settings: Settings, answer_id: int) -> tuple[Answer, Ticket, Closing]:
    answer, ticket = answers.with_ticket(session, answer_id)
    return answer, ticket, closing_of(session, settings, answer_id)


def question_of(ticket: Ticket) -> Content:
    """A private question as the channel sees it."""
    said = f"<@{ticket.asker_id}> asked me, and shares it with you:"
    blocks: list[Block] = [section(said), section(quoted(ticket.question, 2500))]
    return Content(f"{said} {plain_label(ticket.question, 300)}", blocks)


async def _answer(services: Services, answer: Answer, thread: Place, closing: Closing, *, again: bool) -> list[str]:
    found = await posting.find_answer(services, thread, closing.answer_id) if again else None
    recipient = Recipient(thread, "", "", closing.answer_id, lambda: None)

    async def standing(_: list[str]) -> None:
        # Recorded once, together with the thread that the ticket becomes.
        return

    delivery = MessageDelivery(services, recipient, standing, [found] if found else [])
    await delivery.close(answer.text, closing)
    return delivery.timestamps


async def _tell(response_url: str, services: Services, said: str) -> None:
    try:
        await PrivateDelivery(services, response_url).send(Content(said, [section(said)]), replacing=True)
    except (ClientError, TimeoutError) as error:
        log.info("the asker could not be told %r: %s", said, error)
