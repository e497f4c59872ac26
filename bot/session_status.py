"""What Slack shows of the agent's work in a thread: the session's status, and the line while it thinks.

While a session is `processing`, Slack shows its Stop button; `active` awaits the next message, `suspended` waits for
somebody else, `closed` is over (https://docs.slack.dev/ai/agent-sessions). Workspaces without these features show
nothing, which is fine.
"""

import logging

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError

from bot.posting import Place
from bot.services import Services
from store import tickets
from store.tables import Ticket
from store.words import TicketStatus

log = logging.getLogger(__name__)

ACTIVE = "active"
OF_TICKET = {TicketStatus.RESOLVED: "closed", TicketStatus.ESCALATED: "suspended"}
THINKING = "is thinking …"
LOADING_MESSAGES = ["Reading your question …", "Looking for the answer …", "Writing it down …"]


async def show_status(services: Services, place: Place, status: str) -> None:
    """Set the status of a thread's session."""
    try:
        await services.slack.agents_sessions_setStatus(
            channel_id=place.channel_id, thread_ts=place.thread_ts, status=status
        )
    except (SlackApiError, ClientError, TimeoutError) as error:
        log.debug("no session status in %s: %s", place.channel_id, error)


async def show_thinking(services: Services, place: Place, *, line: bool) -> None:
    """Show that an answer is being generated; with `line`, also in words."""
    await show_status(services, place, "processing")
    if not line:
        return
    try:
        await services.slack.assistant_threads_setStatus(
            channel_id=place.channel_id,
            thread_ts=place.thread_ts,
            status=THINKING,
            loading_messages=LOADING_MESSAGES,
        )
    except (SlackApiError, ClientError, TimeoutError) as error:
        log.debug("no status line in %s: %s", place.channel_id, error)


async def follow_ticket(services: Services, ticket: Ticket) -> None:
    """Let the session say how its ticket stands, after a click; a private answer has no session."""
    if not tickets.is_private(ticket):
        place = Place(ticket.channel_id, ticket.thread_ts)
        await show_status(services, place, OF_TICKET.get(ticket.status, ACTIVE))
