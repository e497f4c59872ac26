"""What a message or view is built of: the few blocks that every builder uses, within Slack's limits.

Limits: https://docs.slack.dev/reference/block-kit/blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import (
    Block,
    BlockElement,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    Option,
    PlainTextObject,
    SectionBlock,
)

SECTION_CHARACTERS = 3000
HEADER_CHARACTERS = 150
UPDATE_CHARACTERS = 3900
"""`chat.update` refuses more than 4,000 characters of `text`."""


@dataclass(frozen=True)
class Content:
    """What a message shows: blocks, and a text for notifications and screen readers."""

    text: str
    blocks: Sequence[Block] | None = None


def section(text: str, button: BlockElement | None = None, block_id: str | None = None) -> SectionBlock:
    """A paragraph in `mrkdwn`; the text must be escaped already. What is over the limit is cut off."""
    return SectionBlock(
        text=MarkdownTextObject(text=cut(text, SECTION_CHARACTERS)), accessory=button, block_id=block_id
    )


def header(text: str) -> HeaderBlock:
    """A heading in plain text."""
    return HeaderBlock(text=PlainTextObject(text=cut(text, HEADER_CHARACTERS), emoji=True))


def context(text: str) -> ContextBlock:
    """A small grey line in `mrkdwn`; the text must be escaped already."""
    return ContextBlock(elements=[MarkdownTextObject(text=cut(text, SECTION_CHARACTERS))])


def options(labels: dict[str, str]) -> list[Option]:
    """The options of a select or radio group, from value to label."""
    return [Option(value=value, text=PlainTextObject(text=label, emoji=True)) for value, label in labels.items()]


def cut(text: str, limit: int) -> str:
    """The text, shortened to `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def percent(share: float) -> str:
    """A share of one as a percentage."""
    return f"{100 * share:.0f} %"
