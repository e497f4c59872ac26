"""Usage as pictures: what was asked and answered each day, what people thought of it, how fast it came."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from store.chart_style import BETTER, FAINT, INK, QUIET, TITLE_INCHES, UNSURE, WORSE, as_png, new_figure, write_title
from store.usage import Figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL_INCHES = 1.75
LABELS_SHOWN = 8

ALT = "Day by day: questions and answers, threads solved without a colleague, thumbs, tokens, time to the first words"


def draw_usage(days: Mapping[date, Figures]) -> bytes:
    """The figures of some days as one PNG; takes about half a second, so call it off the event loop."""
    figure = new_figure(TITLE_INCHES + len(PANELS) * PANEL_INCHES)
    first, last = min(days), max(days)
    write_title(figure, f"Usage, {first:%d %b} to {last:%d %b %Y}", "Days in UTC; the last one may not be over.")
    height = figure.get_figheight()
    for number, (title, draw) in enumerate(PANELS.items()):
        bottom = 1 - (TITLE_INCHES + PANEL_INCHES * (number + 0.78)) / height
        axes = figure.add_axes((0.1, bottom, 0.86, 0.52 * PANEL_INCHES / height))
        _prepare(axes, title, list(days))
        draw(axes, list(days.values()))
        axes.set_ylim(bottom=0)
    return as_png(figure)


def _prepare(axes: "Axes", title: str, days: Sequence[date]) -> None:
    axes.set_title(title, fontsize=12, color=INK, loc="left", pad=6)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.tick_params(colors=QUIET, labelsize=9, length=0)
    axes.yaxis.grid(visible=True, color=FAINT)
    axes.set_axisbelow(True)
    axes.locator_params(axis="y", nbins=4)
    shown = range(0, len(days), max(1, len(days) // LABELS_SHOWN))
    axes.set_xticks(list(shown), [f"{days[number]:%d %b}" for number in shown])
    axes.set_xlim(-0.7, len(days) - 0.3)


def _questions(axes: Any, days: Sequence[Figures]) -> None:
    places = range(len(days))
    axes.bar(places, [day.asked for day in days], color=FAINT, label="asked")
    axes.bar(places, [day.answered for day in days], color=UNSURE, width=0.5, label="answered")
    _legend(axes)


def _unaided(axes: Any, days: Sequence[Figures]) -> None:
    shares = [day.unaided_share for day in days]
    known = [(place, 100 * share) for place, share in enumerate(shares) if share is not None]
    axes.plot([place for place, _ in known], [value for _, value in known], color=UNSURE, marker="o", markersize=3)
    axes.set_ylim(top=105)


def _thumbs(axes: Any, days: Sequence[Figures]) -> None:
    places = range(len(days))
    axes.bar(places, [day.up for day in days], color=BETTER, label="up")
    axes.bar(places, [day.down for day in days], bottom=[day.up for day in days], color=WORSE, label="down")
    _legend(axes)


def _tokens(axes: Any, days: Sequence[Figures]) -> None:
    axes.bar(range(len(days)), [day.tokens / 1000 for day in days], color=UNSURE)


def _first_texts(axes: Any, days: Sequence[Figures]) -> None:
    known = [(place, day.first_text_ms / 1000) for place, day in enumerate(days) if day.first_text_ms is not None]
    axes.plot([place for place, _ in known], [value for _, value in known], color=INK, marker="o", markersize=3)


def _legend(axes: Any) -> None:
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=2, fontsize=9, frameon=False, labelcolor=QUIET)


PANELS = {
    "Questions": _questions,
    "Solved without a colleague, in %": _unaided,
    "Thumbs": _thumbs,
    "Tokens, in thousands": _tokens,
    "Median time to the first words, in seconds": _first_texts,
}
