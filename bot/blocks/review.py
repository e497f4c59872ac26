"""The reviewer's modal: the conversation, the bot's answer, what people thought of it, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    DividerBlock,
    InputBlock,
    PlainTextInputElement,
    PlainTextObject,
    RadioButtonsElement,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from bot.blocks.content import context, options, section
from bot.blocks.feedback import REASON_LABELS
from bot.safe_text import plain_label, quoted
from store.tables import Answer, Message, Ticket, Vote
from store.words import Cause, DeliveryState, Role, Surface, Verdict, VoteValue

REVIEW_VIEW = "review"
VERDICT_FIELD = "verdict"
CORRECTION_FIELD = "correction"
CAUSE_FIELD = "cause"
NOTE_FIELD = "note"

INPUT_CHARACTERS = 3000
TRANSCRIPT_CHARACTERS = 700
TRANSCRIPT_LINES = 8
MOST_VOTES = 8

VERDICT_LABELS = {
    Verdict.ACCEPTED.value: "Accept: the answer is right as it is",
    Verdict.CORRECTED.value: "Correct it: the right answer is below",
    Verdict.REJECTED.value: "Reject: nothing to learn from here",
}
CAUSE_LABELS = {
    Cause.KNOWLEDGE.value: "It did not know the facts",
    Cause.BEHAVIOUR.value: "It knew, but answered badly",
    Cause.RETRIEVAL.value: "It looked in the wrong place",
    Cause.POLICY.value: "It must not answer this",
}


@dataclass(frozen=True)
class Case:
    """An answer with all that a reviewer needs to see."""

    answer: Answer
    ticket: Ticket
    transcript: Sequence[Message]
    votes: Sequence[Vote]


def review_modal(case: Case) -> View:
    """The modal for one answer."""
    return View(
        type="modal",
        callback_id=REVIEW_VIEW,
        private_metadata=str(case.answer.id),
        title=PlainTextObject(text="Review an answer"),
        submit=PlainTextObject(text="Decide"),
        close=PlainTextObject(text="Later"),
        blocks=[*_conversation(case), *_opinions(case.votes), DividerBlock(), *_inputs(case.answer)],
    )


def _conversation(case: Case) -> list[Block]:
    # Earlier lines give the context; what came after the answer may be the asker's complaint about it.
    blocks: list[Block] = [context(f"Asked by <@{case.ticket.asker_id}> {_where(case.ticket)}")]
    blocks += [
        _line(message) for message in case.transcript[-TRANSCRIPT_LINES:] if message.ts != case.answer.message_ts
    ]
    blocks.append(section(f"*The bot's answer* ({_version(case.answer)})\n{quoted(case.answer.text, 2500)}"))
    if case.answer.state == DeliveryState.FAILED:
        blocks.append(context(f":warning: It failed: {plain_label(case.answer.error, 300)}"))
    return blocks


def _where(ticket: Ticket) -> str:
    if ticket.surface in (Surface.DIRECT_MESSAGE, Surface.COMMAND):
        return "in private"
    return f"in <#{ticket.channel_id}>"


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
        lines.append(f"{thumb} <@{vote.person_id}>{reason}{words}")
    if len(given) > MOST_VOTES:
        lines.append(f"and {len(given) - MOST_VOTES} more")
    return [section("\n".join(lines))]


def _inputs(answer: Answer) -> list[Any]:
    prefilled = answer.text if len(answer.text) <= INPUT_CHARACTERS else None
    return [
        InputBlock(
            block_id=VERDICT_FIELD,
            label="Your verdict",
            element=RadioButtonsElement(action_id=VERDICT_FIELD, options=options(VERDICT_LABELS)),
        ),
        InputBlock(
            block_id=CORRECTION_FIELD,
            label="The right answer",
            hint="For “Correct it”. The person who asked gets it in their thread, and the next night learns it.",
            optional=True,
            element=PlainTextInputElement(
                action_id=CORRECTION_FIELD,
                multiline=True,
                initial_value=prefilled or None,
                max_length=INPUT_CHARACTERS,
            ),
        ),
        InputBlock(
            block_id=CAUSE_FIELD,
            label="What was missing",
            optional=True,
            element=StaticSelectElement(
                action_id=CAUSE_FIELD, placeholder="If something was", options=options(CAUSE_LABELS)
            ),
        ),
        InputBlock(
            block_id=NOTE_FIELD,
            label="Note for other reviewers",
            optional=True,
            element=PlainTextInputElement(action_id=NOTE_FIELD, multiline=True, max_length=INPUT_CHARACTERS),
        ),
    ]
