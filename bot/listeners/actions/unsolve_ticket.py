"""“Not solved after all” under an answer."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from sqlmodel import Session

from bot.clicks import Click, clicked_answer, settle
from bot.listeners.numbers import number_in
from bot.repainting import repaint
from bot.services import Services
from store import helping


async def unsolve_ticket(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Open the ticket again."""
    click = Click.of(body, number_in(action))
    await settle(services, click)
    await services.store.write(_unsolve, click)
    await ack()
    services.spawn(repaint(services, click.answer_id, click.response_url))


def _unsolve(session: Session, click: Click) -> None:
    helping.unsolve(session, clicked_answer(session, click)[1], click.person_id)
