"""The weekly digest: the week in figures against the week before, what went badly, what became of the versions."""

from collections.abc import Sequence
from datetime import timedelta

from slack_sdk.models.blocks import Block, MarkdownTextObject, SectionBlock

from bot.blocks.content import Content, context, header, percent, section
from bot.blocks.home.usage import seconds
from bot.blocks.home.versions import move_words
from bot.safe_text import plain_label
from store.digests import Week
from store.tables import Night
from store.usage import Figures
from store.words import NightState

MOVES_SHOWN = 5


def digest(week: Week) -> Content:
    """The message for the admin channel."""
    last_day = week.span.until - timedelta(days=1)
    title = f"📚 The week of {week.span.since:%d %b} to {last_day:%d %b %Y}"
    blocks: list[Block] = [
        header(title),
        SectionBlock(fields=[MarkdownTextObject(text=field) for field in _fields(week.figures, week.before)]),
        section(_troubles(week)),
        section("\n".join(["*Versions*", *_moves(week)])),
        section(f"*Nights* · {_nights(week.nights)}"),
        context("In brackets: the week before. Solved alone: answered threads without a colleague and without a 👎."),
    ]
    return Content(f"{title}: {week.figures.asked:,} questions, {week.figures.answered:,} answered.", blocks)


def _fields(now: Figures, before: Figures) -> list[str]:
    return [
        f"*Asked*\n{now.asked:,} ({before.asked:,})",
        f"*Answered*\n{now.answered:,} ({before.answered:,})",
        f"*Solved alone*\n{_share(now.unaided_share)} ({_share(before.unaided_share)})",
        f"*Satisfaction*\n{_share(now.satisfaction)} of {now.up + now.down:,} votes ({_share(before.satisfaction)})",
        f"*Tokens*\n{now.tokens:,} ({before.tokens:,})",
        f"*First words after*\n{_time(now.first_text_ms)} ({_time(before.first_text_ms)})",
    ]


def _share(share: float | None) -> str:
    return "–" if share is None else percent(share)


def _time(milliseconds: float | None) -> str:
    return "–" if milliseconds is None else seconds(milliseconds)


def _troubles(week: Week) -> str:
    if not week.troubles:
        return "*Without a good answer*\nNothing in public channels. 🎉"
    lines = [f"• {plain_label(trouble.question, 200)}{_times(trouble.times)}" for trouble in week.troubles]
    return "\n".join(["*Without a good answer, most asked first*", *lines])


def _times(times: int) -> str:
    return "" if times == 1 else f" · {times} times"


def _moves(week: Week) -> list[str]:
    return [f"• {move_words(move)}" for move in week.moves[-MOVES_SHOWN:]] or [
        "No version was promoted or rolled back."
    ]


def _nights(nights: Sequence[Night]) -> str:
    if not nights:
        return "none ran"
    learnt = sum(night.state == NightState.DONE for night in nights)
    failed = sum(night.state == NightState.FAILED for night in nights)
    words = f"{len(nights)} ran, {learnt} made a version"
    return f"{words}, {failed} failed" if failed else words
