"""A click on a button under an answer: who clicked where, and whether the button may be believed."""

from dataclasses import dataclass
from typing import Any, Self

from sqlmodel import Session

from bot.services import Services
from store import answers
from store.errors import NotAllowed
from store.tables import Answer, Ticket
from store.words import Surface


@dataclass(frozen=True)
class Click:
    """A click as Slack sent it. `response_url` lets us change a message that only the person sees."""

    answer_id: int
    person_id: str
    channel_id: str
    message_ts: str
    thread_ts: str
    ephemeral: bool
    response_url: str

    @classmethod
    def of(cls, body: dict[str, Any], answer_id: int) -> Self:
        """The click in a `block_actions` payload, on a button that carries this number."""
        container = body.get("container") or {}
        return cls(
            answer_id=answer_id,
            person_id=str(body["user"]["id"]),
            channel_id=str(container.get("channel_id") or ""),
            message_ts=str(container.get("message_ts") or ""),
            thread_ts=str(container.get("thread_ts") or ""),
            ephemeral=bool(container.get("is_ephemeral")),
            response_url=str(body.get("response_url") or ""),
        )


async def settle(services: Services, click: Click) -> None:
    """Wait a moment for an answer that is being closed: its buttons can be seen before it is recorded."""
    await services.running.settled(click.channel_id, click.thread_ts)


def clicked_answer(session: Session, click: Click) -> tuple[Answer, Ticket]:
    """The answer whose button was clicked, with its ticket.

    Raises:
        NotFound: the answer does not exist any more.
        NotAllowed: the button names an answer other than the one that was clicked on.
    """
    answer, ticket = answers.with_ticket(session, click.answer_id)
    private = click.ephemeral and ticket.surface == Surface.COMMAND and ticket.asker_id == click.person_id
    if not private and (answer.channel_id, answer.message_ts) != (click.channel_id, click.message_ts):
        raise NotAllowed("That button belongs to another answer. Nothing was changed.")
    return answer, ticket
