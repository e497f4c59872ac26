"""The curves of a training: the loss of each step, the loss on what is never learnt, and the learning rate.

One column a stage, since the losses of stages have different units; all read from the lines of the progress file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store import artifacts
from store.chart_style import BETTER, FAINT, INK, QUIET, TITLE_INCHES, UNSURE, as_png, new_figure, write_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Line = Mapping[str, Any]

HEIGHT_INCHES = 4.9
LEFT, RIGHT, GAP = 0.09, 0.97, 0.09
LOSS_INCHES, RATE_INCHES = (1.95, 1.75), (0.45, 0.7)
"""Bottom and height of a column's two panels."""
UNITS = {"SFT": "Loss, nats per token of the answer"}
OTHER_UNIT = "Loss of the preferences"
MARKED_STEPS = 30
"""With so few steps each is a point of its own."""


def draw_curves(metrics: Sequence[Line], title: str, kept_step: int | None, path: Path) -> None:
    """Write the curves of a training's lines as a PNG, whole or not at all; `kept_step` is where the adapter is from.

    Raises:
        OSError: it cannot be written.
    """
    figure = new_figure(TITLE_INCHES + HEIGHT_INCHES - 0.9)
    write_title(figure, title, "by step  ·  blue: what is learnt  ·  green: what is held out and never learnt")
    height = figure.get_figheight()
    methods = list(dict.fromkeys(line["method"] for line in metrics if "loss" in line))
    width = (RIGHT - LEFT - GAP * (len(methods) - 1)) / max(1, len(methods))
    for column, method in enumerate(methods):
        left = LEFT + column * (width + GAP)
        lines = [line for line in metrics if line["method"] == method]
        places = [(left, bottom / height, width, tall / height) for bottom, tall in (LOSS_INCHES, RATE_INCHES)]
        losses, rates = map(figure.add_axes, places)
        _losses(losses, lines, kept_step if column == 0 else None)
        losses.set_title(f"{method}: {UNITS.get(method, OTHER_UNIT)}", fontsize=11, color=INK, loc="left", pad=6)
        _curve(rates, _points(lines, "learning_rate"), QUIET)
        rates.set_title("Learning rate", fontsize=11, color=INK, loc="left", pad=6)
        rates.set_ylim(bottom=0)
        rates.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
        rates.yaxis.get_offset_text().set(color=QUIET, fontsize=8)
    artifacts.write_bytes(path, as_png(figure))


def _losses(axes: "Axes", lines: Sequence[Line], kept_step: int | None) -> None:
    _curve(axes, _points(lines, "loss"), UNSURE)
    if held_out := _points(lines, "held_out_loss"):
        _curve(axes, held_out, BETTER, marked=True)
    if held_out and kept_step is not None:
        axes.axvline(kept_step, color=BETTER, linewidth=1, linestyle=":")
        axes.annotate(
            "kept",
            (kept_step, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-3, -8),
            textcoords="offset points",
            fontsize=9,
            color=BETTER,
            ha="right",
        )


def _points(lines: Sequence[Line], name: str) -> list[tuple[int, float]]:
    return [(line["step"], line[name]) for line in lines if name in line]


def _curve(axes: "Axes", points: Sequence[tuple[int, float]], colour: str, *, marked: bool = False) -> None:
    from matplotlib.ticker import MaxNLocator

    marker = "o" if marked or len(points) <= MARKED_STEPS else ""
    axes.plot(*zip(*points, strict=True), color=colour, linewidth=1.4, marker=marker, markersize=3.5)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.tick_params(colors=QUIET, labelsize=9, length=0)
    axes.yaxis.grid(visible=True, color=FAINT)
    axes.set_axisbelow(True)
    axes.locator_params(axis="y", nbins=4)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
