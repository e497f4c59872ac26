"""What a person is told whose complaint a new version has fixed, and how they stop hearing of it."""

from dataclasses import dataclass

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, MarkdownBlock

from bot.blocks.content import Content, context, section
from bot.safe_text import quoted

QUIET_ACTION = "fix_notices_off"
LOUD_ACTION = "fix_notices_on"


@dataclass(frozen=True)
class Fixed:
    """A complaint that was fixed: by which version, of which question, and the new answer, safe to be shown.

    `approved` says that the answer is the reviewer's own; `link` leads to the thread, where there is one to open.
    """

    adapter: str
    question: str
    answer: str
    approved: bool
    link: str


def fix_notice(fixed: Fixed) -> Content:
    """The message."""
    said = f"🎓 You voted an answer down, and *{fixed.adapter}*, which answers from now on, has learnt from it."
    source = "A colleague's answer, which it learnt:" if fixed.approved else "It answers now:"
    link = f"<{fixed.link}|Open the thread>. " if fixed.link else ""
    blocks: list[Block] = [
        section(f"{said}\n{quoted(fixed.question, 1000)}\n{source}"),
        MarkdownBlock(text=fixed.answer),
        context(f"{link}Thank you for telling. Answers can still be wrong: check what matters."),
        ActionsBlock(elements=[ButtonElement(text="Don't tell me again", action_id=QUIET_ACTION, value="off")]),
    ]
    return Content(said, blocks)


def quiet() -> Content:
    """What is said to who does not want to hear of fixes any more."""
    said = "You won't hear of fixes any more."
    return Content(said, [section(said, ButtonElement(text="Tell me again", action_id=LOUD_ACTION, value="on"))])


def loud() -> Content:
    """What is said to who wants to hear of fixes again."""
    return Content("You will hear when a new version fixes what you voted down.")
