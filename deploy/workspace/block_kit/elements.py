"""The elements and composition objects of Block Kit with their limits.

Source: https://docs.slack.dev/reference/block-kit/block-elements and .../composition-objects
"""

from .rules import Rule, Shape, anything, boolean, by_type, choice, integer, many, plain, string, text

ACTION_ID = string(255, 1)

CONFIRM = Shape(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": choice("primary", "danger")},
)
OPTION = Shape(
    {"text": text(75), "value": string(150, 1)},
    {"description": text(75), "url": string(3000)},
)
OPTION_GROUP = Shape({"label": plain(75), "options": many(OPTION, 100)}, {})
DISPATCH = Shape({}, {"trigger_actions_on": many(choice("on_enter_pressed", "on_character_entered"), 2)})
FEEDBACK_BUTTON = Shape({"text": plain(75), "value": string(2000, 1)}, {"accessibility_label": string(75)})

COMMON: dict[str, Rule] = {"confirm": CONFIRM, "focus_on_load": boolean}
FILLED: dict[str, Rule] = {**COMMON, "action_id": ACTION_ID, "placeholder": plain(150)}


def _select(required: dict[str, Rule], optional: dict[str, Rule], multi: bool = False) -> Shape:
    extra: dict[str, Rule] = {"max_selected_items": integer} if multi else {}
    return Shape({"action_id": ACTION_ID, **required}, {**FILLED, **optional, **extra})


def _static(multi: bool) -> Shape:
    initial: dict[str, Rule] = {"initial_options": many(OPTION, 100)} if multi else {"initial_option": OPTION}
    shape = _select({}, {"options": many(OPTION, 100), "option_groups": many(OPTION_GROUP, 100), **initial}, multi)
    return Shape(shape.required, shape.optional, one_of=("options", "option_groups"))


def _typed(**limits: Rule) -> Shape:
    return Shape({"action_id": ACTION_ID}, {**FILLED, "dispatch_action_config": DISPATCH, **limits})


ELEMENTS: dict[str, Shape] = {
    "button": Shape(
        {"text": plain(75), "action_id": ACTION_ID},
        {
            "value": string(2000),
            "url": string(3000),
            "style": choice("primary", "danger"),
            "confirm": CONFIRM,
            "accessibility_label": string(75),
        },
    ),
    "feedback_buttons": Shape(
        {"positive_button": FEEDBACK_BUTTON, "negative_button": FEEDBACK_BUTTON, "action_id": ACTION_ID}, {}
    ),
    "icon_button": Shape(
        {"icon": choice("trash"), "text": plain(75), "action_id": ACTION_ID},
        {
            "value": string(2000),
            "confirm": CONFIRM,
            "accessibility_label": string(75),
            "visible_to_user_ids": many(string(20), 10),
        },
    ),
    "overflow": Shape({"action_id": ACTION_ID, "options": many(OPTION, 5)}, {"confirm": CONFIRM}),
    "static_select": _static(multi=False),
    "multi_static_select": _static(multi=True),
    "external_select": _select({}, {"initial_option": OPTION, "min_query_length": integer}),
    "multi_external_select": _select({}, {"initial_options": many(OPTION, 100), "min_query_length": integer}, True),
    "users_select": _select({}, {"initial_user": string(20)}),
    "multi_users_select": _select({}, {"initial_users": many(string(20), 100)}, True),
    "conversations_select": _select(
        {},
        {
            "initial_conversation": string(20),
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": anything,
        },
    ),
    "multi_conversations_select": _select(
        {},
        {
            "initial_conversations": many(string(20), 100),
            "default_to_current_conversation": boolean,
            "filter": anything,
        },
        True,
    ),
    "channels_select": _select({}, {"initial_channel": string(20), "response_url_enabled": boolean}),
    "multi_channels_select": _select({}, {"initial_channels": many(string(20), 100)}, True),
    "radio_buttons": Shape({"action_id": ACTION_ID, "options": many(OPTION, 10)}, {**COMMON, "initial_option": OPTION}),
    "checkboxes": Shape(
        {"action_id": ACTION_ID, "options": many(OPTION, 10)}, {**COMMON, "initial_options": many(OPTION, 10)}
    ),
    "datepicker": _select({}, {"initial_date": string(10)}),
    "timepicker": _select({}, {"initial_time": string(5), "timezone": string(100)}),
    "datetimepicker": Shape({"action_id": ACTION_ID}, {**COMMON, "initial_date_time": integer}),
    "plain_text_input": _typed(initial_value=string(3000), multiline=boolean, min_length=integer, max_length=integer),
    "rich_text_input": _typed(initial_value=anything),
    "number_input": Shape(
        {"action_id": ACTION_ID, "is_decimal_allowed": boolean},
        {
            **FILLED,
            "initial_value": string(100),
            "min_value": string(100),
            "max_value": string(100),
            "dispatch_action_config": DISPATCH,
        },
    ),
    "email_text_input": _typed(initial_value=string(3000)),
    "url_text_input": _typed(initial_value=string(3000)),
    "file_input": Shape({"action_id": ACTION_ID}, {"filetypes": many(string(20), 100), "max_files": integer}),
    "image": Shape({"alt_text": string(2000)}, {"image_url": string(3000), "slack_file": anything}),
}

TEXT_OBJECTS = ("plain_text", "mrkdwn")
INPUTS = (
    "plain_text_input",
    "rich_text_input",
    "number_input",
    "email_text_input",
    "url_text_input",
    "file_input",
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    "datetimepicker",
    *(name for name in ELEMENTS if name.endswith("_select")),
)
CONTEXT_ACTIONS = ("feedback_buttons", "icon_button")
IN_ACTIONS = (
    "button",
    "overflow",
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    "datetimepicker",
    *(name for name in ELEMENTS if name.endswith("_select")),
)
ACCESSORIES = (*IN_ACTIONS, "image")

context_item = by_type(
    {
        **ELEMENTS,
        "plain_text": Shape({"text": string(2000, 1)}, {"emoji": boolean}),
        "mrkdwn": Shape({"text": string(2000, 1)}, {"verbatim": boolean}),
    },
    "image",
    *TEXT_OBJECTS,
)
