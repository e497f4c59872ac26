"""The admins' part of the Home tab: versions and nights."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, ConfirmObject, PlainTextObject

from bot.blocks.card import promote_button, slack_date
from bot.blocks.content import context, header, section
from bot.safe_text import plain_label
from store.tables import BASE
from store.words import AdapterState

ROLL_BACK_ACTION = "roll_back"
RUN_NIGHT_ACTION = "run_night"


@dataclass(frozen=True)
class Version:
    """One adapter as an admin sees it."""

    name: str
    state: AdapterState
    created_at: datetime
    verdict: str = ""
    note: str = ""


@dataclass(frozen=True)
class Operations:
    """What admins see: versions, what answers now, what can be gone back to, how the last night went."""

    production: str
    versions: Sequence[Version]
    earlier: str = ""
    moves: Sequence[str] = ()
    night: Sequence[str] = ()
    night_open: bool = False


def operations_blocks(operations: Operations, *, locked: bool) -> list[Block]:
    """Versions and nights; `locked` while a move is being carried out."""
    now = "the base model" if operations.production == BASE else operations.production
    blocks: list[Block] = [header("Versions"), section(f"Production answers with *{now}*.")]
    blocks += [_version(version, operations, locked=locked) for version in operations.versions]
    if not operations.versions:
        blocks.append(section("No version has been trained yet. Review some answers, then let a night run."))
    blocks += [context(line) for line in operations.moves]
    blocks += [header("Nights"), *[section(line) for line in operations.night]]
    if not operations.night:
        blocks.append(section("No night has run yet."))
    return [*blocks, *([] if locked else _buttons(operations))]


def _version(version: Version, operations: Operations, *, locked: bool) -> Block:
    marks = [version.state.value, slack_date(version.created_at)]
    if version.verdict:
        marks.append(f"verdict: {version.verdict}")
    if version.name == operations.production:
        marks.insert(0, "🟢 in production")
    note = f"\n{plain_label(version.note, 200)}" if version.note else ""
    promotable = version.name != operations.production and version.state != AdapterState.REJECTED and not locked
    return section(
        f"*{version.name}* · {' · '.join(marks)}{note}", promote_button(version.name) if promotable else None
    )


def _buttons(operations: Operations) -> list[Block]:
    buttons = []
    if operations.earlier:
        target = "the base model" if operations.earlier == BASE else operations.earlier
        buttons.append(
            ButtonElement(
                text=f"Roll back to {target}",
                action_id=ROLL_BACK_ACTION,
                # What is rolled back from, so that a second click cannot go one further.
                value=operations.production,
                style="danger",
                confirm=ConfirmObject(
                    title=PlainTextObject(text="Roll back?"),
                    text=PlainTextObject(text=f"From then on {target} answers every new question."),
                    confirm=PlainTextObject(text="Roll back"),
                    deny=PlainTextObject(text="Not now"),
                ),
            )
        )
    if not operations.night_open:
        buttons.append(ButtonElement(text="Run a night now", action_id=RUN_NIGHT_ACTION, value="now"))
    return [ActionsBlock(elements=buttons)] if buttons else []
