"""What a reviewer fills in: the verdict first, so that the keyboard starts there, then what belongs to it.

Slack keeps what was typed in a block whose id stays. So the ids carry the answer's number: the next answer begins
with empty fields; and those that a prefill sets carry the prefill too.
"""

from collections.abc import Sequence
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    CheckboxesElement,
    DatePickerElement,
    InputBlock,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    RadioButtonsElement,
    StaticMultiSelectElement,
    StaticSelectElement,
)

from bot.blocks.content import options
from bot.blocks.review.case import Case
from bot.metadata import Start
from bot.safe_text import plain_line
from store.near_questions import plain
from store.tables import Answer
from store.wording import same_matter
from store.words import Cause, Verdict, VoteValue

VERDICT_FIELD = "verdict"
CORRECTION_FIELD = "correction"
ALIKE_FIELD = "alike"
CAUSE_FIELD = "cause"
TAGS_FIELD = "tags"
VALID_FIELD = "valid_until"
NOTE_FIELD = "note"
START_ACTION = "review_start"

INPUT_CHARACTERS = 3000
OPTION_CHARACTERS = 75
MOST_STARTS = 20

VERDICT_LABELS = {
    Verdict.ACCEPTED.value: "Accept: the answer is right as it is",
    Verdict.CORRECTED.value: "Correct it: the right answer is below",
    Verdict.REJECTED.value: "Reject: nothing to learn from here",
}
CAUSE_LABELS = {
    Cause.KNOWLEDGE.value: "It did not know the facts",
    Cause.BEHAVIOUR.value: "It knew, but answered badly",
    Cause.RETRIEVAL.value: "It looked in the wrong place",
    Cause.POLICY.value: "It must not answer this",
}


def prefill(case: Case, start: Start) -> str:
    """The text that the field for the right answer begins with; empty when it is longer than the field may be."""
    text = case.answer.text
    if start.kind == "reply":
        text = next((proposal.text for proposal in case.proposals if proposal.id == start.id), text)
    if start.kind == "vote":
        text = next((vote.suggestion or vote.comment for vote in case.votes if vote.id == start.id), text)
    return text if len(text) <= INPUT_CHARACTERS else ""


def input_blocks(case: Case, start: Start) -> list[Any]:
    """Verdict, right answer, near-duplicates, and what may be said beside them."""
    number = f"{case.answer.id}"
    filled = f"{number}-{start.dump()}"
    return [
        _verdict(f"{VERDICT_FIELD}-{filled}", start),
        *_starts(case, start, f"{START_ACTION}-{number}"),
        _correction(f"{CORRECTION_FIELD}-{filled}", prefill(case, start)),
        *_alike(case, f"{ALIKE_FIELD}-{number}"),
        InputBlock(
            block_id=f"{CAUSE_FIELD}-{number}",
            label="What was missing",
            optional=True,
            element=StaticSelectElement(
                action_id=CAUSE_FIELD, placeholder="If something was", options=options(CAUSE_LABELS)
            ),
        ),
        *_tags(case.tags, f"{TAGS_FIELD}-{number}"),
        InputBlock(
            block_id=f"{VALID_FIELD}-{number}",
            label="Right until the end of",
            hint="For “Correct it”, where you know the day: after it the correction is neither given nor learnt.",
            optional=True,
            element=DatePickerElement(action_id=VALID_FIELD),
        ),
        InputBlock(
            block_id=f"{NOTE_FIELD}-{number}",
            label="Note for other reviewers",
            optional=True,
            element=PlainTextInputElement(action_id=NOTE_FIELD, multiline=True, max_length=INPUT_CHARACTERS),
        ),
    ]


def _verdict(block_id: str, start: Start) -> InputBlock:
    choices = options(VERDICT_LABELS)
    # Who takes over a reply means to correct.
    initial = choices[1] if start.kind != "bot" else None
    return InputBlock(
        block_id=block_id,
        label="Your verdict",
        element=RadioButtonsElement(
            action_id=VERDICT_FIELD, options=choices, initial_option=initial, focus_on_load=True
        ),
    )


def _starts(case: Case, start: Start, block_id: str) -> list[Any]:
    labels = {Start().dump(): "The bot's answer"}
    for proposal in case.proposals:
        labels[Start("reply", proposal.id or 0).dump()] = _option("A colleague's reply", proposal.text)
    for vote in case.votes:
        if vote.value == VoteValue.DOWN and (words := vote.suggestion or vote.comment):
            label = "What it should have said" if vote.suggestion else "What was complained of"
            labels[Start("vote", vote.id or 0).dump()] = _option(label, words)
    if len(labels) == 1:
        return []
    choices = options(dict(list(labels.items())[:MOST_STARTS]))
    current = next((option for option in choices if option.value == start.dump()), choices[0])
    return [
        ActionsBlock(
            block_id=block_id,
            elements=[
                StaticSelectElement(
                    action_id=START_ACTION, placeholder="Begin with", options=choices, initial_option=current
                )
            ],
        )
    ]


def _option(label: str, text: str) -> str:
    return plain_line(f"{label}: {text}", OPTION_CHARACTERS)


def _correction(block_id: str, text: str) -> InputBlock:
    return InputBlock(
        block_id=block_id,
        label="The right answer",
        hint="For “Correct it”. The person who asked gets it in their thread, and the next night learns it.",
        optional=True,
        element=PlainTextInputElement(
            action_id=CORRECTION_FIELD, multiline=True, initial_value=text or None, max_length=INPUT_CHARACTERS
        ),
    )


def _alike(case: Case, block_id: str) -> list[Any]:
    if not case.alike:
        return []
    choices = [
        Option(
            value=str(answer.id),
            text=PlainTextObject(text=plain_line(ticket.question, OPTION_CHARACTERS) or "(empty)", emoji=True),
            description=PlainTextObject(text=_answer_beside(case.answer, answer), emoji=True),
        )
        for answer, ticket in case.alike
    ]
    # Alike by their letters; one word may make all the difference, so such ones are shown, but not ticked.
    asked = plain(case.ticket.question)
    same = [
        choice for choice, near in zip(choices, case.alike, strict=True) if same_matter(asked, plain(near[1].question))
    ]
    more = f" {case.more_alike} more follow after these." if case.more_alike else ""
    return [
        InputBlock(
            block_id=block_id,
            label="Decide these, which ask nearly the same, too",
            hint=f"Tick only what is the same matter. Accepting covers those that got the very same answer.{more}",
            optional=True,
            element=CheckboxesElement(action_id=ALIKE_FIELD, options=choices, initial_options=same or None),
        )
    ]


def _answer_beside(answer: Answer, other: Answer) -> str:
    if other.text.split() == answer.text.split() and other.state == answer.state:
        return "got the same answer"
    return plain_line(f"got another answer: {other.text or 'none'}", OPTION_CHARACTERS)


def _tags(tags: Sequence[str], block_id: str) -> list[Any]:
    if not tags:
        return []
    choices = options({tag: tag for tag in tags})
    return [
        InputBlock(
            block_id=block_id,
            label="Tags",
            optional=True,
            element=StaticMultiSelectElement(action_id=TAGS_FIELD, placeholder="If any fit", options=choices),
        )
    ]
