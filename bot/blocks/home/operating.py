"""The admins' part of the Home tab: versions, nights, usage, channels and roles."""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, ConfirmObject

from bot.blocks.content import header, section
from bot.blocks.home.documents import Documents, document_blocks
from bot.blocks.home.places import Places, place_blocks
from bot.blocks.home.usage import usage_blocks
from bot.blocks.home.versions import Versions, version_blocks
from store.usage import Figures

RUN_NIGHT_ACTION = "run_night"
CANCEL_NIGHT_ACTION = "cancel_night"


@dataclass(frozen=True)
class Operations:
    """What admins see: versions, how the last night went, how much is asked, who and where."""

    versions: Versions
    night: Sequence[str] = ()
    night_open: bool = False
    """Whether a night is asked for or running."""
    cancelling: bool = False
    """Whether somebody has cancelled it, so that it ends within seconds."""
    usage: Figures | None = None
    places: Places | None = None
    documents: Documents | None = None


def operations_blocks(operations: Operations, *, locked: bool) -> list[Block]:
    """Everything for admins; `locked` while a move is being carried out."""
    blocks = [*version_blocks(operations.versions, locked=locked), *_nights(operations, locked=locked)]
    if operations.usage is not None:
        blocks += usage_blocks(operations.usage)
    if operations.documents is not None:
        blocks += document_blocks(operations.documents)
    if operations.places is not None:
        blocks += place_blocks(operations.places)
    return blocks


def _nights(operations: Operations, *, locked: bool) -> list[Block]:
    blocks: list[Block] = [header("Nights"), *[section(line) for line in operations.night]]
    if not operations.night:
        blocks.append(section("No night has run yet."))
    if operations.night_open and not operations.cancelling:
        blocks.append(ActionsBlock(elements=[_cancel_button()]))
    elif not operations.night_open and not locked:
        button = ButtonElement(text="Run a night now", action_id=RUN_NIGHT_ACTION, value="now")
        blocks.append(ActionsBlock(elements=[button]))
    return blocks


def _cancel_button() -> ButtonElement:
    return ButtonElement(
        text="Cancel this night",
        action_id=CANCEL_NIGHT_ACTION,
        value="now",
        style="danger",
        confirm=ConfirmObject(
            title="Cancel this night?",
            text="It ends within seconds and changes nothing. “Run a night now” goes on where it stood.",
            confirm="Cancel the night",
            deny="Let it run",
        ),
    )
