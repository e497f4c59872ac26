"""The reviewer's modal, a flow: one answer after the other in the same window, until nothing waits."""

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, DividerBlock, PlainTextObject
from slack_sdk.models.views import View

from bot.blocks.content import context, section
from bot.blocks.review.case import Case, Progress, case_blocks
from bot.blocks.review.inputs import input_blocks

__all__ = ["Case", "Progress", "ending_modal", "review_modal"]

REVIEW_VIEW = "review"
SKIP_ACTION = "review_skip"
UNDO_ACTION = "review_undo"
UNSKIP_ACTION = "review_unskip"


def review_modal(case: Case, progress: Progress) -> View:
    """The modal for one answer."""
    skip = ButtonElement(text="Skip: leave it to others", action_id=SKIP_ACTION, value=str(case.answer.id))
    return View(
        type="modal",
        callback_id=REVIEW_VIEW,
        private_metadata=progress.flow.dump(),
        # So that a claim ends with the modal.
        notify_on_close=True,
        title=PlainTextObject(text="Review answers"),
        submit=PlainTextObject(text="Decide"),
        close=PlainTextObject(text="Later"),
        blocks=[
            *_progress(progress),
            *case_blocks(case),
            DividerBlock(),
            *input_blocks(case, progress.flow.start),
            ActionsBlock(elements=[skip]),
        ],
    )


def ending_modal(progress: Progress) -> View:
    """What the flow ends with: nothing waits any more, at least for this reviewer."""
    blocks = [*_progress(progress), section("🎉 *Nothing waits for you.* New answers appear in the Home tab.")]
    if progress.skipped:
        button = ButtonElement(text="Look at them again", action_id=UNSKIP_ACTION, value="all")
        blocks.append(section(f"You have left {progress.skipped} to others.", button))
    return View(
        type="modal",
        callback_id=REVIEW_VIEW,
        private_metadata=progress.flow.dump(),
        notify_on_close=True,
        title=PlainTextObject(text="Review answers"),
        close=PlainTextObject(text="Done"),
        blocks=blocks,
    )


def undo_button(batch: str) -> ButtonElement:
    """“Undo” of a batch of decisions, for ten minutes."""
    return ButtonElement(text="Undo", action_id=UNDO_ACTION, value=batch)


def _progress(progress: Progress) -> list[Block]:
    flow = progress.flow
    blocks: list[Block] = [context(f"{flow.decided} decided, {progress.waiting} wait")]
    if progress.notice:
        blocks.append(section(progress.notice, undo_button(flow.batch) if flow.batch else None))
    return blocks
