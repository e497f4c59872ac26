"""The chart of the morning card: each measure of candidate and champion on a line of its own, with its interval.

Measures have different units, so every line has its own scale and its numbers are written beside it. Made to be read
at the width at which Slack shows an image, about 500 pixels.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from store import artifacts
from store.chart_style import BETTER, FAINT, INK, QUIET, UNSURE, WORSE, as_png, new_figure, write_title
from store.tables import Evaluation
from store.words import GateVerdict
from trainer.scores import NATS, NATS_OF_ALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINE_INCHES, HEAD_INCHES = 1.0, 1.05
TITLES = {
    GateVerdict.PROMOTE: "is better than",
    GateVerdict.HOLD: "is not clearly better than",
    GateVerdict.REJECT: "is worse than",
}


def draw(evaluation: Evaluation, path: Path) -> None:
    """Write the chart of an evaluation as a PNG, whole or not at all."""
    measures = [measure for measure in evaluation.metrics["measures"] if measure["name"] != "length"]
    height = HEAD_INCHES + LINE_INCHES * max(1, len(measures))
    figure = new_figure(height)
    _head(figure, evaluation)
    for line, measure in enumerate(measures):
        bottom = 1 - (HEAD_INCHES + LINE_INCHES * (line + 0.7)) / height
        _line(figure.add_axes((0.06, bottom, 0.62, 0.3 / height)), measure, evaluation)
    artifacts.write_bytes(path, as_png(figure))


def _head(figure: "Figure", evaluation: Evaluation) -> None:
    title = f"{evaluation.candidate} {TITLES[evaluation.verdict]} {evaluation.champion}"
    items = evaluation.metrics["items"]
    under = (
        f"{items} tickets that neither learnt from  ·  grey: {evaluation.champion}  ·  colour: {evaluation.candidate}"
    )
    write_title(figure, title, under)


def _line(axes: "Axes", measure: dict[str, Any], evaluation: Evaluation) -> None:
    before, after = measure["champion"], measure["candidate"]
    low, high = before + measure["low"], before + measure["high"]
    colour = {True: BETTER, False: WORSE, None: UNSURE}[measure["better"]]
    ends = min(before, after, low), max(before, after, low, high)
    margin = 0.08 * (ends[1] - ends[0]) or 1.0
    axes.set_xlim(ends[0] - margin, ends[1] + margin)
    axes.set_ylim(-1, 1)
    axes.axis("off")
    axes.set_title(measure["label"], fontsize=12, color=INK, loc="left", pad=9)
    axes.axhline(0, color=FAINT, linewidth=7, solid_capstyle="round", zorder=0)
    axes.plot([low, high], [0, 0], color=colour, alpha=0.35, linewidth=7, solid_capstyle="round", zorder=1)
    axes.scatter([before], [0], s=110, color=QUIET, zorder=2)
    axes.scatter([after], [0], s=150, color=colour, zorder=3, edgecolors="white", linewidths=1.5)
    axes.text(
        1.04,
        0.62,
        f"{value_in_words(measure, before)}  →  {value_in_words(measure, after)}",
        fontsize=13,
        fontweight="bold",
        color=INK,
        va="center",
        transform=axes.transAxes,
    )
    axes.text(1.04, -0.35, _certainty(measure), fontsize=10, color=colour, va="center", transform=axes.transAxes)


def value_in_words(measure: dict[str, Any], value: float) -> str:
    """A value of a measure as the chart says it, with its unit where that is short."""
    return f"{value:.{_digits(measure)}f}" + (" %" if measure["unit"] == "%" else "")


def _certainty(measure: dict[str, Any]) -> str:
    digits = _digits(measure)
    words = {True: "better", False: "worse", None: "within chance"}[measure["better"]]
    return f"{words}: {measure['low']:+.{digits}f} to {measure['high']:+.{digits}f}"


def _digits(measure: dict[str, Any]) -> int:
    return {NATS: 2, NATS_OF_ALL: 1}.get(measure["unit"], 0)
