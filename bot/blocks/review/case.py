"""What a reviewer sees of a case: the conversation, the bot's answer, and what people thought of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import Block

from bot.blocks.content import context, section
from bot.blocks.feedback import REASON_LABELS
from bot.metadata import ReviewFlow
from bot.safe_text import plain_label, quoted
from store.contradictions import Opposed
from store.import_tickets import IMPORT
from store.tables import Answer, Message, Proposal, Ticket, Vote
from store.words import Arm, DeliveryState, ReviewState, Role, Surface, VoteValue

TRANSCRIPT_CHARACTERS = 700
TRANSCRIPT_LINES = 8
MOST_VOTES = 8
MOST_CONTRADICTED = 3


@dataclass(frozen=True)
class Case:
    """An answer with all that a reviewer needs to see; `alike` wait for the same decision, with `more_alike` behind."""

    answer: Answer
    ticket: Ticket
    transcript: Sequence[Message]
    votes: Sequence[Vote]
    proposals: Sequence[Proposal] = ()
    alike: Sequence[tuple[Answer, Ticket]] = ()
    more_alike: int = 0
    tags: Sequence[str] = ()
    contradicts: Sequence[Opposed] = ()


@dataclass(frozen=True)
class Progress:
    """Where a reviewer stands: how many wait, and a sentence about what was just done; `flow` has the rest."""

    flow: ReviewFlow
    waiting: int
    notice: str = ""
    skipped: int = 0


def case_blocks(case: Case) -> list[Block]:
    """The conversation, the answer, and the votes."""
    # Earlier lines give the context; what came after the answer may be the asker's complaint about it.
    blocks: list[Block] = [context(f"{_asked(case.ticket)}{_turn(case.answer)}")]
    blocks += [
        _line(message) for message in case.transcript[-TRANSCRIPT_LINES:] if message.ts != case.answer.message_ts
    ]
    whose = "The imported answer" if case.answer.arm == Arm.HUMAN else "The bot's answer"
    blocks.append(section(f"*{whose}* ({_version(case.answer)})\n{quoted(case.answer.text, 2500)}"))
    blocks += [_contradicted(other) for other in case.contradicts[:MOST_CONTRADICTED]]
    if case.answer.state == DeliveryState.FAILED:
        blocks.append(context(f":warning: It failed: {plain_label(case.answer.error, 300)}"))
    return [*blocks, *_opinions(case.votes)]


def _asked(ticket: Ticket) -> str:
    if ticket.team_id == IMPORT:
        return "From an imported ticket"
    return f"Asked by <@{ticket.asker_id}> {_where(ticket)}"


def _contradicted(other: Opposed) -> Block:
    asked = plain_label(other.ticket.question, 300)
    return section(
        f"⚡ *It contradicts the answer to ticket {other.ticket.id}*: {asked}\n{quoted(other.text, 900)}\n"
        "Neither is learnt until one is reviewed again. Accept this one or correct it, and it stands; reject it, and "
        "the other does."
    )


def _where(ticket: Ticket) -> str:
    if ticket.surface in (Surface.DIRECT_MESSAGE, Surface.COMMAND):
        return "in private"
    return f"in <#{ticket.channel_id}>"


def _turn(answer: Answer) -> str:
    # What the others said is not shown: an opinion counts as a second one only if it was formed alone.
    if answer.review_state == ReviewState.CONTRADICTED:
        return " · it contradicts another answer"
    if answer.review_state == ReviewState.SECOND:
        return " · a second opinion is wanted"
    return " · two reviewers disagree, yours decides" if answer.review_state == ReviewState.THIRD else ""


def _line(message: Message) -> Block:
    who = "The bot" if message.role == Role.BOT else f"<@{message.person_id}>"
    return section(f"*{who}*\n{quoted(message.text, TRANSCRIPT_CHARACTERS)}")


def _version(answer: Answer) -> str:
    doubt = "" if answer.mean_logprob is None else f", mean log-probability {answer.mean_logprob:.2f}"
    return f"{answer.adapter}{doubt}"


def _opinions(given: Sequence[Vote]) -> list[Block]:
    if not given:
        return [context("Nobody has voted on this answer yet.")]
    lines = []
    for vote in given[:MOST_VOTES]:
        thumb = "👍" if vote.value == VoteValue.UP else "👎"
        reason = f" · {REASON_LABELS[vote.reason]}" if vote.reason else ""
        words = f" · “{plain_label(vote.comment, 300)}”" if vote.comment else ""
        wanted = f" · should say: “{plain_label(vote.suggestion, 300)}”" if vote.suggestion else ""
        lines.append(f"{thumb} <@{vote.person_id}>{reason}{words}{wanted}")
    if len(given) > MOST_VOTES:
        lines.append(f"and {len(given) - MOST_VOTES} more")
    return [section("\n".join(lines))]
