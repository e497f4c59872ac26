"""A sentence that went wrong somewhere and has no message to be shown in: as a modal."""

from slack_sdk.models.blocks import PlainTextObject
from slack_sdk.models.views import View

from bot.blocks.content import section

SENTENCE_VIEW = "sentence"


def sentence_modal(sentence: str) -> View:
    """One sentence, with a button to close it."""
    return View(
        type="modal",
        callback_id=SENTENCE_VIEW,
        title=PlainTextObject(text="Nightschool"),
        close=PlainTextObject(text="Close"),
        blocks=[section(sentence)],
    )
