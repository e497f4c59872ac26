"""An answer in a thread: its text, what stands below it, and what it becomes when it failed."""

from dataclasses import dataclass

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, MarkdownBlock

from bot.blocks.card import slack_day
from bot.blocks.content import UPDATE_CHARACTERS, Content, context, cut, section
from bot.blocks.feedback import feedback_buttons
from bot.blocks.trial import trial_blocks
from bot.safe_text import plain_label, quoted, safe_markdown
from store.approved import Approved
from store.words import DeliveryState

RETRY_ACTION = "retry_answer"
STOPPED = "Stopped."
DISCLAIMER = "Answers can be wrong: check what matters. 👍 and 👎 teach me."


@dataclass(frozen=True)
class Closing:
    """How an answer ended; `sentence` says what went wrong, when something did; `trial` is a version being tried."""

    answer_id: int
    state: DeliveryState
    sentence: str = ""
    trial: str = ""


def answer_text(shown: str) -> Content:
    """An answer while it is written; `shown` must be safe already."""
    return Content(cut(shown, UPDATE_CHARACTERS), [MarkdownBlock(text=shown)])


def closed_answer(shown: str, closing: Closing) -> Content:
    """An answer in its last form; `shown` must be safe already."""
    blocks: list[Block] = [MarkdownBlock(text=shown)] if shown.strip() else []
    text = shown if shown.strip() else closing.sentence or STOPPED
    return Content(cut(text, UPDATE_CHARACTERS), [*blocks, *closing_blocks(closing)])


def closing_blocks(closing: Closing) -> list[Block]:
    """What stands below an answer: thumbs, or what went wrong and how to try again."""
    if closing.state == DeliveryState.FAILED:
        return failure_blocks(closing.answer_id, closing.sentence)
    if closing.trial:
        return trial_blocks(closing.trial)
    note = STOPPED if closing.state == DeliveryState.STOPPED else closing.sentence
    note = f"{note} {DISCLAIMER}".strip()
    return [feedback_buttons(closing.answer_id), context(note)]


def approved_line(approved: Approved) -> str:
    """What marks an answer that a colleague gave to the same question before."""
    return f"✅ Approved by <@{approved.reviewer_id}> on {slack_day(approved.decided_at)}."


def failure_blocks(answer_id: int, sentence: str) -> list[Block]:
    """One sentence about what went wrong, and a button to try again."""
    retry = ButtonElement(text="Try again", action_id=RETRY_ACTION, value=str(answer_id), style="primary")
    return [section(f":warning: {plain_label(sentence, 1000)}"), ActionsBlock(elements=[retry])]


def trying_again() -> Content:
    """What a failed answer shows from the click on until there is text."""
    text = "Trying again …"
    return Content(text, [context(text)])


def withdrawn() -> Content:
    """What is left of an answer whose question was deleted, where it cannot be deleted itself."""
    text = "The question was deleted, and so was this answer."
    return Content(text, [context(text)])


def correction_withdrawn(reviewer_id: str) -> Content:
    """What is left of a correction that the reviewer took back."""
    text = f"A correction stood here; <@{reviewer_id}> took it back."
    return Content(text, [context(text)])


def correction(reviewer_id: str, right_answer: str) -> Content:
    """A reviewer's answer, for the thread of the person who asked."""
    said = f"A colleague corrected this answer (<@{reviewer_id}>):"
    shown = safe_markdown(right_answer)
    return Content(f"{said}\n{quoted(right_answer, 2500)}", [section(said), MarkdownBlock(text=shown)])
