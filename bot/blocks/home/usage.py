"""Usage in a few words: for the Home tab and the weekly digest."""

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from bot.blocks.content import header, percent, section
from store.usage import Figures

SHOW_CHARTS_ACTION = "show_charts"


def usage_blocks(figures: Figures) -> list[Block]:
    """The last week in one line, and a button for the charts of the last month."""
    line = usage_line(figures) if figures.asked else "Nobody has asked anything in the last 7 days."
    button = ButtonElement(text="Show charts", action_id=SHOW_CHARTS_ACTION, value="30")
    return [header("Usage"), section(f"*Last 7 days* · {line}"), ActionsBlock(elements=[button])]


def usage_line(figures: Figures) -> str:
    """The figures of some days in one line."""
    parts = [f"{counted(figures.asked, 'question')}, {figures.answered:,} answered"]
    if figures.unaided_share is not None:
        parts.append(f"{percent(figures.unaided_share)} solved without a colleague")
    if figures.satisfaction is not None:
        parts.append(f"👍 {percent(figures.satisfaction)} of {counted(figures.up + figures.down, 'vote')}")
    parts.append(f"{counted(figures.tokens, 'token')}")
    if figures.first_text_ms is not None:
        parts.append(f"first words after {seconds(figures.first_text_ms)}")
    return " · ".join(parts)


def counted(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def seconds(milliseconds: float) -> str:
    """A time in seconds."""
    return f"{milliseconds / 1000:.1f}\u00a0s"
