"""The two thumbs under an answer, and the question that follows a 👎.

Source: https://docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element.
"""

from typing import Any

from slack_sdk.models.blocks import (
    ButtonElement,
    ContextActionsBlock,
    FeedbackButtonsElement,
    InputBlock,
    PlainTextInputElement,
    PlainTextObject,
    StaticSelectElement,
)
from slack_sdk.models.blocks.basic_components import FeedbackButtonObject
from slack_sdk.models.views import View

from bot.blocks.content import Content, options, section
from store.tables import Vote
from store.words import VoteReason, VoteValue

VOTE_ACTION = "vote"
TELL_WHY_ACTION = "tell_why"
REASON_VIEW = "vote_reason"
REASON_FIELD = "reason"
WORDS_FIELD = "words"
SUGGESTION_FIELD = "suggestion"
WORDS_CHARACTERS = 3000

THANKS_UP = Content("Thank you, noted. 👍")
THANKS_DOWN = Content("Thank you, noted. 👎 A reviewer will look at this answer.")
THANKS_WHY = Content("Thank you. A reviewer will see this, and the next night can learn from it.")

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


def tell_why(answer_id: int) -> Content:
    """Thanks for a 👎 that was given as a reaction, which cannot open the question after the reason by itself."""
    button = ButtonElement(text="Tell why", action_id=TELL_WHY_ACTION, value=str(answer_id))
    return Content(THANKS_DOWN.text, [section(THANKS_DOWN.text, button)])


def reason_modal(private_metadata: str, given: Vote) -> View:
    """Asks why an answer was voted down, beginning with what the person said before.

    The vote is stored whether or not this is filled in.
    """
    reasons: dict[str, str] = {reason.value: label for reason, label in REASON_LABELS.items()}
    choices = options(reasons)
    chosen = next((choice for choice in choices if given.reason and choice.value == given.reason.value), None)
    blocks: list[Any] = [
        InputBlock(
            block_id=REASON_FIELD,
            label="What was wrong with it?",
            element=StaticSelectElement(
                action_id=REASON_FIELD, placeholder="Choose one", options=choices, initial_option=chosen
            ),
        ),
        _words(WORDS_FIELD, "In your words", "Reviewers read this when they correct the answer.", given.comment),
        _words(
            SUGGESTION_FIELD,
            "What should it have said?",
            "If you know it: a reviewer can take your answer over.",
            given.suggestion,
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


def _words(field: str, label: str, hint: str, said: str) -> InputBlock:
    return InputBlock(
        block_id=field,
        label=label,
        hint=hint,
        optional=True,
        element=PlainTextInputElement(
            action_id=field, multiline=True, max_length=WORDS_CHARACTERS, initial_value=said or None
        ),
    )
