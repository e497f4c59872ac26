"""An answer in a thread: its text, what stands below it, and what it becomes when it failed."""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, MarkdownBlock

from bot.blocks.card import slack_day
from bot.blocks.content import UPDATE_CHARACTERS, Content, context, cut, section
from bot.blocks.feedback import feedback_buttons
from bot.blocks.trial import trial_blocks
from bot.safe_text import plain_label, quoted, short_markdown
from store.approved import Approved
from store.words import DeliveryState

RETRY_ACTION = "retry_answer"
HUMAN_ACTION = "call_human"
SOLVE_ACTION = "solve_ticket"
UNSOLVE_ACTION = "unsolve_ticket"
WHY_ACTION = "explain_answer"
SHARE_ACTION = "share_answer"

STOPPED = "Stopped."
DISCLAIMER = "Answers can be wrong: check what matters. 👍 and 👎 teach me."
REDONE = "✏️ The question was edited, so I answered anew."
UNSURE = "🤔 *I'm not sure about this one.* Please check it, or let me call a human."
SOURCES_SHOWN = 5


@dataclass(frozen=True)
class Source:
    """A passage's document: what it is called, where it can be read, and the number by which an answer cites it.

    `url` is empty where people cannot read it, `number` 0 where it has none.
    """

    title: str
    url: str
    number: int = 0

    @property
    def link(self) -> str:
        """Its number and title in `mrkdwn`, linked where it can be read."""
        title = plain_label(self.title, 100)
        named = f"<{self.url}|{title}>" if self.url else title
        return f"[{self.number}] {named}" if self.number else named


@dataclass(frozen=True)
class Closing:
    """How an answer ended, and what its ticket has come to; `sentence` says what went wrong, when something did.

    `trial` is a version being tried, `solved_by` a person's id. `called` says that a human was called, `shareable`
    that only the asker sees the answer but the channel could.
    """

    answer_id: int
    state: DeliveryState
    sentence: str = ""
    trial: str = ""
    unsure: bool = False
    redone: bool = False
    approved: Approved | None = None
    sources: Sequence[Source] = ()
    solved_by: str = ""
    called: bool = False
    shareable: bool = False


def answer_text(shown: str) -> Content:
    """An answer while it is written, or a piece of it; `shown` must be safe already."""
    return Content(cut(shown, UPDATE_CHARACTERS), [MarkdownBlock(text=shown)])


def closed_answer(shown: str, closing: Closing) -> Content:
    """An answer in its last form, or its last piece; `shown` must be safe already."""
    blocks: list[Block] = [MarkdownBlock(text=shown)] if shown.strip() else []
    text = shown if shown.strip() else closing.sentence or STOPPED
    return Content(cut(text, UPDATE_CHARACTERS), [*blocks, *closing_blocks(closing)])


def closing_blocks(closing: Closing) -> list[Block]:
    """What stands below an answer: thumbs and what else one can do, or what went wrong and how to try again."""
    if closing.state == DeliveryState.FAILED:
        return failure_blocks(closing)
    if closing.trial:
        return trial_blocks(closing.trial)
    notes = [
        STOPPED if closing.state == DeliveryState.STOPPED else closing.sentence,
        REDONE if closing.redone else "",
        approved_line(closing.approved) if closing.approved else "",
        f"✅ Solved, says <@{closing.solved_by}>." if closing.solved_by else "",
        "🙋 A human was called." if closing.called and not closing.solved_by else "",
        DISCLAIMER,
    ]
    return [
        *([section(UNSURE)] if closing.unsure and not closing.solved_by else []),
        *_sources(closing.sources),
        feedback_buttons(closing.answer_id),
        ActionsBlock(block_id=f"answer_{closing.answer_id}", elements=_buttons(closing)),
        context(" ".join(note for note in notes if note)),
    ]


def approved_line(approved: Approved) -> str:
    """What marks an answer that a colleague gave to the same question before."""
    return f"✅ Approved by <@{approved.reviewer_id}> on {slack_day(approved.decided_at)}."


def _sources(sources: Sequence[Source]) -> list[Block]:
    links = [source.link for source in sources[:SOURCES_SHOWN]]
    return [context("📄 From: " + " · ".join(links))] if links else []


def _buttons(closing: Closing) -> list[ButtonElement]:
    value = str(closing.answer_id)
    why = ButtonElement(text="Why this answer?", action_id=WHY_ACTION, value=value)
    share = ButtonElement(text="Share with the channel", action_id=SHARE_ACTION, value=value)
    last = [why, *([share] if closing.shareable else [])]
    if closing.solved_by:
        return [ButtonElement(text="Not solved after all", action_id=UNSOLVE_ACTION, value=value), *last]
    solved = ButtonElement(text="Solved", action_id=SOLVE_ACTION, value=value)
    human = human_button(closing)
    return [human, solved, *last] if closing.unsure else [solved, human, *last]


def human_button(closing: Closing) -> ButtonElement:
    """The way to a human, prominent where the answer is doubtful."""
    doubtful = closing.unsure and not closing.called
    return ButtonElement(
        text="I need a human",
        action_id=HUMAN_ACTION,
        value=str(closing.answer_id),
        style="primary" if doubtful else None,
    )


def failure_blocks(closing: Closing) -> list[Block]:
    """One sentence about what went wrong, a button to try again, and the way to a human."""
    retry = ButtonElement(text="Try again", action_id=RETRY_ACTION, value=str(closing.answer_id), style="primary")
    said = section(f":warning: {plain_label(closing.sentence, 1000)}")
    blocks: list[Block] = [said, ActionsBlock(elements=[retry, human_button(closing)])]
    return [*blocks, context("🙋 A human was called.")] if closing.called else blocks


def trying_again() -> Content:
    """What a failed answer shows from the click on until there is text."""
    text = "Trying again …"
    return Content(text, [context(text)])


def answering_anew() -> Content:
    """What an answer shows from the edit of its question on until there is text."""
    text = "The question was edited; I am answering anew …"
    return Content(text, [context(text)])


def correction_withdrawn(reviewer_id: str) -> Content:
    """What is left of a correction that the reviewer took back."""
    text = f"A correction stood here; <@{reviewer_id}> took it back."
    return Content(text, [context(text)])


def correction(reviewer_id: str, right_answer: str) -> Content:
    """A reviewer's answer, for the thread of the person who asked."""
    said = f"A colleague corrected this answer (<@{reviewer_id}>):"
    shown = short_markdown(right_answer)
    body: Block = MarkdownBlock(text=shown) if shown.strip() else context("(It has no visible character.)")
    return Content(f"{said}\n{quoted(right_answer, 2500)}", [section(said), body])
