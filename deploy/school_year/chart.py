"""The learning curve: night by night, how much of a day that nobody had taught yet was answered right."""

from collections.abc import Callable, Sequence

from deploy.school_year.records import BASE_MODEL, COPIED, LABELS, NIGHTSCHOOL, RETRIEVAL, NightRecord
from store.chart_style import BETTER, FAINT, INK, QUIET, TITLE_INCHES, UNSURE, as_png, new_figure, write_title

HEIGHT_INCHES = 4.6
SMOOTHED = 3
"""Nights in the running mean that the lines show; the points are single nights."""

COLOURS = {NIGHTSCHOOL: BETTER, RETRIEVAL: UNSURE, COPIED: QUIET, BASE_MODEL: INK}
DASHES = {NIGHTSCHOOL: "-", RETRIEVAL: "-", COPIED: ":", BASE_MODEL: "-"}

FEW_RIGHT = 10.0
"""Per cent of right answers of the best over the year, below which closeness of wording tells more."""

Measure = Callable[[NightRecord, str], float]


def measure_of(records: Sequence[NightRecord]) -> tuple[str, Measure]:
    """What the year is told by, with its unit: right answers, or closeness where hardly anything is right."""
    best = max(mean(records, who, NightRecord.share_right) for who in LABELS)
    if best >= FEW_RIGHT:
        return "questions answered right, %", NightRecord.share_right
    return "closeness of wording, chrF", NightRecord.closeness


def mean(records: Sequence[NightRecord], who: str, measure: Measure) -> float:
    """The mean over all questions of these nights."""
    return sum(measure(one, who) * len(one.questions) for one in records) / sum(len(one.questions) for one in records)


def draw(records: Sequence[NightRecord]) -> bytes:
    """The chart of these nights, at least one, as a PNG."""
    from matplotlib.ticker import MaxNLocator

    unit, measure = measure_of(records)
    figure = new_figure(HEIGHT_INCHES)
    top = 1 - (TITLE_INCHES + 0.1) / HEIGHT_INCHES
    axes = figure.add_axes((0.09, 0.13, 0.87, top - 0.13))
    nights = [record.number for record in records]
    for who in reversed(LABELS):
        values = [measure(record, who) for record in records]
        windows = [records[max(0, place - SMOOTHED) : place] for place in range(1, len(records) + 1)]
        smooth = [mean(window, who, measure) for window in windows]
        wide = 2.8 if who == NIGHTSCHOOL else 1.6
        axes.plot(nights, values, "o", color=COLOURS[who], markersize=4, alpha=0.3, markeredgewidth=0)
        axes.plot(nights, smooth, DASHES[who], color=COLOURS[who], linewidth=wide, label=LABELS[who])
    held = [record.number for record in records if record.version and record.production != record.version]
    for number in held:
        axes.axvline(number + 0.5, color=FAINT, linewidth=5, zorder=0)
    axes.set_ylim(0, 105 if measure is NightRecord.share_right else None)
    axes.set_xlabel("day", color=QUIET)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=QUIET)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], fontsize=8.5, loc="upper left", frameon=False)
    under = f"{unit}; means of {SMOOTHED} days"
    write_title(figure, "A school year", f"{under}; grey: not promoted" if held else under)
    return as_png(figure)
