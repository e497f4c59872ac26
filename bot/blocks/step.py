"""The question back before a version is promoted, discarded or rolled back, with room for a note."""

from slack_sdk.models.blocks import InputBlock, PlainTextInputElement, PlainTextObject
from slack_sdk.models.views import View

from bot.blocks.content import section
from bot.blocks.home.versions import Step, named

STEP_VIEW = "version_step"
NOTE_FIELD = "note"
NOTE_CHARACTERS = 500

QUESTIONS = {
    Step.PROMOTE: ("Promote {name}?", "Promote", "It answers every new question from then on. You can roll back."),
    Step.DISCARD: ("Discard {name}?", "Discard", "Nobody can promote or try it any more, until you take it back."),
    Step.ROLL_BACK: ("Roll back?", "Roll back", "From then on {name} answers every new question."),
}


AGAINST_THE_EVIDENCE = "⚠️ *The evidence does not speak for {name}.* You can promote it all the same, if you say why."


def step_modal(step: Step, name: str, private_metadata: str, *, against_evidence: bool = False) -> View:
    """Asks once more, and for a note, which is not optional against the evidence; `name` is where the step leads to."""
    title, submit, consequence = QUESTIONS[step]
    warning = [section(AGAINST_THE_EVIDENCE.format(name=name))] if against_evidence else []
    note = InputBlock(
        block_id=NOTE_FIELD,
        label="Note",
        hint="Why? It stays with the version, for everyone who looks at its history.",
        optional=not against_evidence,
        element=PlainTextInputElement(action_id=NOTE_FIELD, multiline=True, max_length=NOTE_CHARACTERS),
    )
    return View(
        type="modal",
        callback_id=STEP_VIEW,
        private_metadata=private_metadata,
        title=PlainTextObject(text=title.format(name=name)),
        submit=PlainTextObject(text=submit),
        close=PlainTextObject(text="Not now"),
        blocks=[*warning, section(consequence.format(name=named(name))), note],
    )
