"""An answer that stands already shows what has become of its ticket since: solved, handed over, open again."""

from sqlmodel import Session

from bot import posting
from bot.blocks.answer import Closing, closed_answer, closing_blocks
from bot.blocks.content import Content
from bot.closing import closing_of, link_hosts
from bot.delivery import PrivateDelivery, private_contents
from bot.services import Services
from bot.session_status import follow_ticket
from bot.splitting import safe_pieces
from store import answers, tickets
from store.settings import Settings
from store.tables import Answer, Ticket


async def repaint(services: Services, answer_id: int, response_url: str = "") -> None:
    """Show an answer's buttons and notes as things stand now; a private one is reached by `response_url` only."""
    answer, ticket, closing = await services.store.read(_gather, services.settings, answer_id)
    parts = safe_pieces(answer.text, link_hosts(services.settings, answer.passages))
    if tickets.is_private(ticket):
        if response_url:
            last = private_contents(parts, closing)[-1]
            await PrivateDelivery(services, response_url).send(last, replacing=True)
        return
    if answer.message_ts:
        content = _last_message(answer, parts, closing)
        metadata = posting.answer_metadata(answer_id)
        await posting.update(services, answer.channel_id, answer.message_ts, content, metadata)
    await follow_ticket(services, ticket)


def _gather(session: Session, settings: Settings, answer_id: int) -> tuple[Answer, Ticket, Closing]:
    answer, ticket = answers.with_ticket(session, answer_id)
    return answer, ticket, closing_of(session, settings, answer_id)


def _last_message(answer: Answer, parts: list[str], closing: Closing) -> Content:
    if len(parts) == len(answer.earlier_ts) + 1:
        return closed_answer(parts[-1], closing)
    # Slack took the text only without blocks, so the last message holds nothing but the buttons.
    return Content("…", closing_blocks(closing))
