"""The two thumbs under an answer, and the question that follows a 👎.

Source: https://docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element.
"""

from typing import Any

from slack_sdk.models.blocks import (
    ContextActionsBlock,
    FeedbackButtonsElement,
    InputBlock,
    PlainTextInputElement,
    PlainTextObject,
    StaticSelectElement,
)
from slack_sdk.models.blocks.basic_components import FeedbackButtonObject
from slack_sdk.models.views import View

from bot.blocks.content import options
from store.words import VoteReason, VoteValue

VOTE_ACTION = "vote"
REASON_VIEW = "vote_reason"
REASON_FIELD = "reason"
WORDS_FIELD = "words"

REASON_LABELS = {
    VoteReason.WRONG: "It is wrong",
    VoteReason.OUTDATED: "It is out of date",
    VoteReason.INCOMPLETE: "Something is missing",
    VoteReason.UNCLEAR: "I don't understand it",
    VoteReason.TONE: "The tone is off",
    VoteReason.NOT_ALLOWED: "It should not have said this",
}


def vote_value(value: VoteValue, answer_id: int) -> str:
    """What a thumb carries: the opinion and the answer's number."""
    return f"{value.value}:{answer_id}"


def parse_vote(value: str) -> tuple[VoteValue, int] | None:
    """What a thumb carried, or None when it is not one of ours."""
    opinion, _, number = value.partition(":")
    if opinion not in list(VoteValue) or not number.isascii() or not number.isdigit():
        return None
    return VoteValue(opinion), int(number)


def feedback_buttons(answer_id: int) -> ContextActionsBlock:
    """👍 and 👎; Slack itself keeps how they look to each person."""
    return ContextActionsBlock(
        elements=[
            FeedbackButtonsElement(
                action_id=VOTE_ACTION,
                positive_button=FeedbackButtonObject(
                    text="Good answer",
                    value=vote_value(VoteValue.UP, answer_id),
                    accessibility_label="Mark this answer as good",
                ),
                negative_button=FeedbackButtonObject(
                    text="Bad answer",
                    value=vote_value(VoteValue.DOWN, answer_id),
                    accessibility_label="Mark this answer as bad and say why",
                ),
            )
        ]
    )


def reason_modal(private_metadata: str) -> View:
    """Asks why an answer was voted down; the vote is stored whether or not this is filled in."""
    reasons: dict[str, str] = {reason.value: label for reason, label in REASON_LABELS.items()}
    blocks: list[Any] = [
        InputBlock(
            block_id=REASON_FIELD,
            label="What was wrong with it?",
            element=StaticSelectElement(action_id=REASON_FIELD, placeholder="Choose one", options=options(reasons)),
        ),
        InputBlock(
            block_id=WORDS_FIELD,
            label="In your words",
            hint="What would have helped? Reviewers read this when they correct the answer.",
            optional=True,
            element=PlainTextInputElement(action_id=WORDS_FIELD, multiline=True, max_length=3000),
        ),
    ]
    return View(
        type="modal",
        callback_id=REASON_VIEW,
        private_metadata=private_metadata,
        title=PlainTextObject(text="What went wrong?"),
        submit=PlainTextObject(text="Send"),
        close=PlainTextObject(text="Not now"),
        blocks=blocks,
    )
