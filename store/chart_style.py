"""How our charts look: read at the width at which Slack shows an image, about 500 pixels.

matplotlib is imported when something is drawn, not before; a Figure alone, without pyplot, keeps nothing in a process
that lives on for weeks.
"""

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, QUIET, FAINT, BETTER, WORSE, UNSURE = "#1d1c1d", "#8d8d94", "#e8e8ea", "#007a5a", "#d72b3f", "#4a6fa5"
WIDTH_INCHES, DOTS_PER_INCH = 7.2, 150
TITLE_INCHES = 0.9


def new_figure(height_inches: float) -> "Figure":
    """A white picture of our width."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, height_inches), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def write_title(figure: "Figure", title: str, under: str) -> None:
    """A title, and a quiet line below it, in the topmost `TITLE_INCHES`."""
    height = figure.get_figheight()
    figure.text(0.05, 1 - 0.38 / height, title, fontsize=17, fontweight="bold", color=INK, va="center")
    figure.text(0.05, 1 - 0.72 / height, under, fontsize=11, color=QUIET, va="center")


def as_png(figure: "Figure") -> bytes:
    """The picture as a PNG file."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=DOTS_PER_INCH)
    return picture.getvalue()
