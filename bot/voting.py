"""Opinions about answers, from the buttons and from reactions, all stored as votes."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from bot.blocks.feedback import parse_vote
from bot.services import Services
from store import answers, votes
from store.errors import NotAllowed, NotFound
from store.tables import Answer, Vote
from store.votes import Ballot
from store.words import Surface, VoteSource, VoteValue

REACTIONS = {
    "+1": VoteValue.UP,
    "thumbsup": VoteValue.UP,
    "-1": VoteValue.DOWN,
    "thumbsdown": VoteValue.DOWN,
}


@dataclass(frozen=True)
class Click:
    """A click on a thumb: by whom, in which message, with which value."""

    person_id: str
    channel_id: str
    message_ts: str
    value: str
    ephemeral: bool


def cast_by_click(session: Session, click: Click) -> Vote:
    """Store the vote of a click.

    Raises:
        NotFound: the answer is gone, or the value is not one that we gave out.
        NotAllowed: the value names an answer other than the one that was clicked on.
    """
    parsed = parse_vote(click.value)
    if parsed is None:
        raise NotFound("That button does not belong to an answer any more.")
    value, answer_id = parsed
    answer, ticket = answers.with_ticket(session, answer_id)
    # The asker votes on private answers, and in the direct message where they were asked whether an answer helped.
    unseen = (click.ephemeral and ticket.surface == Surface.COMMAND) or click.channel_id.startswith("D")
    private = unseen and ticket.asker_id == click.person_id
    if not private and (answer.channel_id, answer.message_ts) != (click.channel_id, click.message_ts):
        raise NotAllowed("That button belongs to another answer. Nothing was changed.")
    return votes.cast(session, Ballot(answer_id, click.person_id, value))


async def cast_by_reaction(services: Services, event: dict[str, Any]) -> None:
    """Store the vote of a 👍 or 👎 reaction on an answer; other reactions mean nothing."""
    if ballot := await _ballot(services, event):
        await services.store.write(votes.cast, ballot)


async def retract_by_reaction(services: Services, event: dict[str, Any]) -> None:
    """Take a vote back whose reaction was removed, unless another gesture has replaced it."""
    if ballot := await _ballot(services, event):
        await services.store.write(votes.retract, ballot)


async def _ballot(services: Services, event: dict[str, Any]) -> Ballot | None:
    value = REACTIONS.get(str(event.get("reaction", "")).split("::")[0])
    item = event.get("item") or {}
    person_id = str(event.get("user") or "")
    bot = await services.bot()
    if value is None or item.get("type") != "message" or person_id in ("", bot.user_id):
        return None
    answer: Answer | None = await services.store.read(answers.of_message, str(item["channel"]), str(item["ts"]))
    if answer is None or answer.id is None:
        return None
    return Ballot(answer.id, person_id, value, VoteSource.REACTION)
