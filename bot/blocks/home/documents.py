"""The documents in the admins' part of the Home tab: how many, since when, and what could not be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot.blocks.card import slack_date
from bot.blocks.content import context, header, section
from bot.safe_text import plain_label

PROBLEMS_SHOWN = 4


@dataclass(frozen=True)
class Documents:
    """How many documents can be looked up, when the last one changed, and why some cannot."""

    count: int = 0
    changed_at: datetime | None = None
    problems: Sequence[tuple[str, str]] = ()


def document_blocks(documents: Documents) -> list[Block]:
    """The figures, then each problem with its file."""
    if not documents.count and not documents.problems:
        none = "There are no documents to look things up in. Put some into the documents folder of the bot's machine."
        return [header("Documents"), section(none)]
    blocks: list[Block] = [header("Documents"), section(f"📄 {_counted(documents)}")]
    for source, problem in documents.problems[:PROBLEMS_SHOWN]:
        blocks.append(section(f":warning: *{plain_label(source, 150)}* cannot be used: {plain_label(problem, 400)}"))
    if len(documents.problems) > PROBLEMS_SHOWN:
        rest = len(documents.problems) - PROBLEMS_SHOWN
        blocks.append(context(f"{rest} more cannot be used: `nightschool knowledge list` names them."))
    return blocks


def _counted(documents: Documents) -> str:
    number = f"*{documents.count:,}* document{'s' if documents.count != 1 else ''} can be looked up"
    return (
        f"{number}; the last change was {slack_date(documents.changed_at)}." if documents.changed_at else f"{number}."
    )
