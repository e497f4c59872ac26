"""The modals in which an admin chooses a channel and sets it up."""

from slack_sdk.models.blocks import (
    CheckboxesElement,
    ConversationFilter,
    ConversationSelectElement,
    InputBlock,
    NumberInputElement,
    PlainTextInputElement,
    PlainTextObject,
    RadioButtonsElement,
    UserSelectElement,
)
from slack_sdk.models.views import View

from bot.blocks.content import options, section
from store.tables import Channel
from store.words import Answering

CHOOSE_CHANNEL_VIEW = "choose_channel"
CHANNEL_VIEW = "channel_settings"
CHANNEL_FIELD = "channel"
ANSWERING_FIELD = "answering"
USES_FIELD = "uses"
CONFIDENCE_FIELD = "confidence"
PERSONA_FIELD = "persona"
PERSON_FIELD = "on_call_person"
GROUP_FIELD = "on_call_group"

DOCUMENTS, DOCUMENTS_ONLY, TRAINABLE = "documents", "documents_only", "trainable"
PERSONA_CHARACTERS = 600

ANSWERING_OPTIONS = {
    Answering.MENTIONS.value: "When I am mentioned",
    Answering.QUESTIONS.value: "Every question, also without a mention",
    Answering.OFF.value: "Nothing",
}
USES_OPTIONS = {
    DOCUMENTS: "Look things up in the documents",
    DOCUMENTS_ONLY: "Answer nothing that no document answers",
    TRAINABLE: "Learn from answers that reviewers accepted",
}


def choose_channel_modal() -> View:
    """Asks which channel is meant."""
    # Only channels: a direct message has no settings, and Slack lists to each admin only what they are in.
    channels = ConversationFilter(include=["public", "private"], exclude_bot_users=True)
    select = ConversationSelectElement(action_id=CHANNEL_FIELD, placeholder="Choose a channel", filter=channels)
    return View(
        type="modal",
        callback_id=CHOOSE_CHANNEL_VIEW,
        title=PlainTextObject(text="Set up a channel"),
        submit=PlainTextObject(text="Next"),
        close=PlainTextObject(text="Cancel"),
        blocks=[InputBlock(block_id=CHANNEL_FIELD, label="Channel", element=select)],
    )


def channel_modal(channel: Channel) -> View:
    """The settings of a channel as they are, to be changed."""
    return View(
        type="modal",
        callback_id=CHANNEL_VIEW,
        private_metadata=channel.channel_id,
        title=PlainTextObject(text="Set up a channel"),
        submit=PlainTextObject(text="Save"),
        close=PlainTextObject(text="Cancel"),
        blocks=[section(f"How I behave in <#{channel.channel_id}>"), *_behaviour(channel), *_on_call(channel.on_call)],
    )


def _behaviour(channel: Channel) -> list[InputBlock]:
    answering, uses = options(ANSWERING_OPTIONS), options(USES_OPTIONS)
    ticked = [
        use for use, on in zip(uses, (channel.documents, channel.documents_only, channel.trainable), strict=True) if on
    ]
    chosen = next(option for option in answering if option.value == channel.answering.value)
    percent = f"{100 * channel.min_confidence:g}"
    return [
        InputBlock(
            block_id=ANSWERING_FIELD,
            label="What I answer",
            element=RadioButtonsElement(action_id=ANSWERING_FIELD, options=answering, initial_option=chosen),
        ),
        InputBlock(
            block_id=USES_FIELD,
            label="What I may do",
            optional=True,
            element=CheckboxesElement(action_id=USES_FIELD, options=uses, initial_options=ticked or None),
        ),
        InputBlock(
            block_id=CONFIDENCE_FIELD,
            label="Say “I'm not sure” below this confidence, in percent",
            hint="My confidence is the mean probability of the words that I chose. 0 means that I never say so.",
            optional=True,
            element=NumberInputElement(action_id=CONFIDENCE_FIELD, is_decimal_allowed=True, initial_value=percent),
        ),
        InputBlock(
            block_id=PERSONA_FIELD,
            label="How I should sound here",
            hint="I am told this before each question of the channel, for example: Answer in French, formally.",
            optional=True,
            element=PlainTextInputElement(
                action_id=PERSONA_FIELD,
                multiline=True,
                max_length=PERSONA_CHARACTERS,
                initial_value=channel.persona or None,
            ),
        ),
    ]


def _on_call(on_call: str) -> list[InputBlock]:
    group = on_call if on_call.startswith("S") else None
    person = on_call if on_call and group is None else None
    return [
        InputBlock(
            block_id=PERSON_FIELD,
            label="Who is called when a human is wanted: a person",
            optional=True,
            element=UserSelectElement(action_id=PERSON_FIELD, placeholder="Nobody", initial_user=person),
        ),
        InputBlock(
            block_id=GROUP_FIELD,
            label="… or a user group, by its id",
            hint="It begins with S. In Slack: People → User groups → the group's ⋮ menu → Copy group ID.",
            optional=True,
            element=PlainTextInputElement(action_id=GROUP_FIELD, max_length=20, initial_value=group),
        ),
    ]
