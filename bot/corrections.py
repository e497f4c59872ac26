"""A reviewer's correction in the asker's thread: posted once, and marked as withdrawn when it was taken back."""

from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from sqlmodel import Session

from bot import posting
from bot.blocks.answer import correction, correction_withdrawn
from bot.posting import Place
from bot.services import Services
from store import answers, outbox, reviews, tickets
from store.tables import OutboxMessage, Review, Ticket
from store.tickets import Line
from store.words import Role


async def post_correction(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Post a reviewer's right answer into the thread of the person who asked, and write it into the transcript."""
    found = await services.store.read(_reviewed, int(message.payload["review_id"]), message.key)
    if found is None:
        # Taken back before it was posted.
        return Place("")
    review, ticket = found
    place = await _place(services, ticket)
    content = correction(review.reviewer_id, review.correction)
    try:
        ts = await posting.post_once(services, place, content, message.key, again=again)
    except SlackApiError as error:
        if posting.error_of(error) not in posting.GONE:
            raise
        # The thread was deleted, so there is nobody left to tell.
        return Place("")
    line = Line(ts, review.reviewer_id, Role.BOT, review.correction)
    await services.store.write(tickets.add_line, ticket.id or 0, line)
    return Place(place.channel_id, ts)


async def withdraw_correction(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Say in place of a posted correction that it was taken back, and take it out of the transcript."""
    payload = message.payload
    standing = await services.store.read(_standing, str(payload["key"]), int(payload["answer_id"]))
    place = await _place(services, standing.ticket)
    # An attempt that was cut off may have posted it without our knowing.
    ts = standing.ts or await posting.find_note(services, place, str(payload["key"]))
    if not ts:
        return Place("")
    content = correction_withdrawn(str(payload["reviewer_id"]))
    await posting.update(services, place.channel_id, ts, content, posting.note_metadata(str(payload["key"])))
    await services.store.write(tickets.delete_line, standing.ticket.id or 0, ts)
    return Place(place.channel_id, ts)


async def _place(services: Services, ticket: Ticket) -> Place:
    if tickets.is_private(ticket):
        # A private answer has no thread: its correction goes to the asker's direct message.
        opened = await services.slack.conversations_open(users=ticket.asker_id)
        return Place(str(opened["channel"]["id"]))
    return Place(ticket.channel_id, ticket.thread_ts)


@dataclass(frozen=True)
class _Standing:
    ticket: Ticket
    ts: str


def _standing(session: Session, key: str, answer_id: int) -> _Standing:
    posted = outbox.by_key(session, key)
    return _Standing(answers.with_ticket(session, answer_id)[1], posted.message_ts if posted else "")


def _reviewed(session: Session, review_id: int, key: str) -> tuple[Review, Ticket] | None:
    review = session.get(Review, review_id)
    if review is None or reviews.correction_key(review) != key:
        return None
    return review, answers.with_ticket(session, review.answer_id)[1]
