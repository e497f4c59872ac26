"""The admins' part of the Home tab: each version, where it comes from, what became of it, and what can be done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, OverflowMenuElement

from bot.blocks.card import slack_date
from bot.blocks.content import context, header, options, section
from bot.safe_text import plain_label
from store.lineage import Lineage
from store.tables import BASE, Promotion
from store.words import AdapterState, PromotionKind

VERSION_STEP_ACTION = "version_step"
STOP_TRIAL_ACTION = "stop_trial"
STATE_LABELS = {
    AdapterState.CANDIDATE: "candidate",
    AdapterState.CANARY: "canary",
    AdapterState.CHAMPION: "promoted",
    AdapterState.RETIRED: "retired",
    AdapterState.REJECTED: "rejected",
}


class Step(StrEnum):
    """What an admin can do with a version."""

    PROMOTE = "promote"
    TRY = "try"
    CANARY = "canary"
    STOP_CANARY = "stop_canary"
    DISCARD = "discard"
    TAKE_BACK = "take_back"
    ROLL_BACK = "roll_back"


STEP_LABELS = {
    Step.PROMOTE: "Promote {name}",
    Step.TRY: "Try {name} in my DM",
    Step.CANARY: "{name} as canary …",
    Step.STOP_CANARY: "Stop the canary {name}",
    Step.DISCARD: "Discard {name}",
    Step.TAKE_BACK: "Take {name} back",
    Step.ROLL_BACK: "Roll back to {name}",
}


@dataclass(frozen=True)
class Version:
    """One version as an admin sees it; `files_there` is whether its files are on the disk."""

    lineage: Lineage
    files_there: bool = True

    @property
    def name(self) -> str:
        """Its name, such as `v7`."""
        return self.lineage.adapter.name


@dataclass(frozen=True)
class Versions:
    """The newest versions, what answers now, what can be gone back to, and what this admin is trying."""

    production: str
    shown: Sequence[Version] = ()
    earlier: str = ""
    moves: Sequence[Promotion] = field(default_factory=tuple)
    tried: str = ""
    tried_until: datetime | None = None
    canary: str = ""
    canary_block: Block | None = None


def step_value(step: Step, name: str) -> str:
    """What a button or menu carries: the step and the version, or for a rollback what production was."""
    return f"{step.value}:{name}"


def parse_step(value: str) -> tuple[Step, str] | None:
    """What a button or menu carried, or None when it is not one of ours."""
    step, _, name = value.partition(":")
    return (Step(step), name) if step in list(Step) else None


def version_blocks(versions: Versions, *, locked: bool) -> list[Block]:
    """The versions; `locked` while a move is being carried out."""
    blocks: list[Block] = [header("Versions"), section(f"Production answers with *{named(versions.production)}*.")]
    if versions.tried and versions.tried_until is not None:
        blocks.append(_trial(versions.tried, versions.tried_until))
    if versions.canary_block is not None:
        blocks.append(versions.canary_block)
        if not locked:
            blocks.append(ActionsBlock(elements=[_button(Step.STOP_CANARY, versions.canary)]))
    for version in versions.shown:
        blocks += _version(version, versions, locked=locked)
    if not versions.shown:
        blocks.append(section("No version has been trained yet. Review some answers, then let a night run."))
    told = {move.id for version in versions.shown for move in version.lineage.moves[:1]}
    if others := [move_words(move) for move in versions.moves if move.id not in told]:
        blocks.append(context("\n".join(others)))
    if versions.earlier and not locked:
        blocks.append(ActionsBlock(elements=[_roll_back(versions)]))
    return blocks


def named(name: str) -> str:
    """A version's name in a sentence."""
    return "the base model" if name == BASE else name


def stop_trial_button() -> ButtonElement:
    """Ends the admin's trial; a second click finds none and says so."""
    return ButtonElement(text="Stop trying", action_id=STOP_TRIAL_ACTION, value="now")


def _trial(name: str, until: datetime) -> Block:
    return section(
        f"🧪 Your direct messages to me are answered by *{name}* until {slack_date(until)}.", stop_trial_button()
    )


def _version(version: Version, versions: Versions, *, locked: bool) -> list[Block]:
    steps = [] if locked else _steps(version, versions)
    text = _words(version.lineage, versions.production)
    if version.lineage.adapter.state in (AdapterState.CANDIDATE, AdapterState.CANARY) and steps:
        return [section(text), ActionsBlock(elements=[_button(step, version.name) for step in steps])]
    menu = {step_value(step, version.name): STEP_LABELS[step].format(name=version.name) for step in steps}
    return [section(text, OverflowMenuElement(action_id=VERSION_STEP_ACTION, options=options(menu)) if menu else None)]


def _steps(version: Version, versions: Versions) -> list[Step]:
    adapter = version.lineage.adapter
    if adapter.state == AdapterState.REJECTED:
        return [Step.TAKE_BACK] if adapter.discarded_by and version.files_there else []
    if version.name == versions.production:
        return []
    trying = [] if version.name == versions.tried else [Step.TRY]
    canary = [] if versions.canary else [Step.CANARY]
    return [Step.PROMOTE, *trying, *canary, *([Step.DISCARD] if adapter.state == AdapterState.CANDIDATE else [])]


def _button(step: Step, name: str) -> ButtonElement:
    return ButtonElement(
        text=STEP_LABELS[step].format(name=name),
        # Within one block each element needs an id of its own.
        action_id=f"{VERSION_STEP_ACTION}_{step.value}",
        value=step_value(step, name),
        style="primary" if step == Step.PROMOTE else None,
    )


def _roll_back(versions: Versions) -> ButtonElement:
    return ButtonElement(
        text=STEP_LABELS[Step.ROLL_BACK].format(name=named(versions.earlier)),
        action_id=f"{VERSION_STEP_ACTION}_{Step.ROLL_BACK.value}",
        # What is rolled back from, so that a second click cannot go one further.
        value=step_value(Step.ROLL_BACK, versions.production),
        style="danger",
    )


def _words(lineage: Lineage, production: str) -> str:
    adapter = lineage.adapter
    marks = [STATE_LABELS[adapter.state], slack_date(adapter.created_at)]
    if lineage.verdict is not None:
        marks.append(f"verdict: {lineage.verdict.value}")
    if adapter.name == production:
        marks[0] = "🟢 in production"
    lines = [f"*{adapter.name}* · {' · '.join(marks)}", _origin(lineage)]
    lines += [move_words(move) for move in lineage.moves[:1]]
    if adapter.discarded_by:
        lines.append(f"🗑 discarded by <@{adapter.discarded_by}>{_reason(adapter.note)}")
    elif adapter.note:
        lines.append(plain_label(adapter.note, 200))
    return "\n".join(line for line in lines if line)


def _origin(lineage: Lineage) -> str:
    rows = "" if lineage.rows is None else f" on {lineage.rows} reviewed answers"
    night = f" in the night of {lineage.night}" if lineage.night else ""
    compared = f", compared with {named(lineage.champion)}" if lineage.champion else ""
    return f"Trained{night}{rows}, on the base {plain_label(lineage.adapter.base_model, 80)}{compared}"


def move_words(move: Promotion) -> str:
    """A move of production in a sentence, in `mrkdwn`."""
    verb = "promoted" if move.kind == PromotionKind.PROMOTE else "rolled back to"
    when = slack_date(move.created_at)
    return (
        f"<@{move.person_id}> {verb} *{named(move.adapter)}*, {when}; before it {named(move.previous)} answered"
        f"{_reason(move.reason)}"
    )


def _reason(reason: str) -> str:
    return f": “{plain_label(reason, 200)}”" if reason else ""
