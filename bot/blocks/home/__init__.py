"""The Home tab: how to ask for everyone, the queue for reviewers, versions and nights for admins."""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import Block, DividerBlock
from slack_sdk.models.views import View

from bot.blocks.content import section
from bot.blocks.home.asking import asking_blocks
from bot.blocks.home.operating import Operations, operations_blocks
from bot.blocks.home.reviewing import ReviewQueue, queue_blocks
from bot.safe_text import plain_label
from store.tables import Ticket


@dataclass(frozen=True)
class Home:
    """The Home tab of one person; the parts that their role does not show are None."""

    own_tickets: Sequence[Ticket]
    queue: ReviewQueue | None = None
    operations: Operations | None = None


def home_view(home: Home, busy: str = "", trouble: str = "") -> View:
    """The view; `busy` says what is being done, `trouble` what went wrong with it."""
    blocks: list[Block] = []
    if trouble:
        blocks.append(section(f":warning: {plain_label(trouble, 2000)}"))
    if busy:
        blocks.append(section(f"⏳ {busy}"))
    if home.operations is not None:
        blocks += [*operations_blocks(home.operations, locked=bool(busy)), DividerBlock()]
    if home.queue is not None:
        blocks += [*queue_blocks(home.queue), DividerBlock()]
    return View(type="home", blocks=[*blocks, *asking_blocks(home.own_tickets)])
