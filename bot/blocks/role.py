"""The modal in which an admin gives a person a role, or takes it back."""

from slack_sdk.models.blocks import InputBlock, PlainTextObject, RadioButtonsElement, UserSelectElement
from slack_sdk.models.views import View

from bot.blocks.content import options
from store.words import Duty

ROLE_VIEW = "role"
PERSON_FIELD = "person"
ROLE_FIELD = "role"
NO_ROLE = "none"

ROLE_OPTIONS = {
    Duty.REVIEWER.value: "Reviewer: decides on answers",
    Duty.ADMIN.value: "Admin: promotes, rolls back, sets up; reviews too",
    NO_ROLE: "None: take back what was given here",
}


def role_modal() -> View:
    """Asks for the person and the role."""
    return View(
        type="modal",
        callback_id=ROLE_VIEW,
        title=PlainTextObject(text="Change a role"),
        submit=PlainTextObject(text="Save"),
        close=PlainTextObject(text="Cancel"),
        blocks=[
            InputBlock(
                block_id=PERSON_FIELD,
                label="Person",
                element=UserSelectElement(action_id=PERSON_FIELD, placeholder="Choose a person"),
            ),
            InputBlock(
                block_id=ROLE_FIELD,
                label="Role",
                element=RadioButtonsElement(action_id=ROLE_FIELD, options=options(ROLE_OPTIONS)),
            ),
        ],
    )
