"""The comparison as Markdown and as a chart."""

from collections.abc import Sequence
from pathlib import Path

from store import artifacts
from store.chart_style import BETTER, FAINT, INK, QUIET, as_png, new_figure, write_title
from store.settings import CompareSettings
from trainer.compare.arms import ADAPTER, BOTH
from trainer.compare.measure import Asked, Result
from trainer.scores import CHRF, FACTS

ROW_INCHES, HEAD_INCHES = 0.55, 1.15


def markdown(results: Sequence[Result], asked: Sequence[Asked], prices: CompareSettings, confidence: float) -> str:
    """A row an arm: quality with its interval, what it is told, how long one waits, what it costs."""
    lines = [
        "| answered by | right, % | interval | exact facts, % | chrF | alike, chrF | prompt tokens | first token | "
        f"whole answer | {prices.currency} for 1,000 |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        low, high = result.interval(confidence)
        cells = [
            f"{result.right:.0f}",
            f"{low:.0f} to {high:.0f}",
            _number(result.mean(FACTS)),
            _number(result.mean(CHRF)),
            _number(result.consistency(asked)),
            f"{result.prompt_tokens:,.0f}",
            f"{result.first_token_ms / 1000:.2f} s",
            f"{result.whole_ms / 1000:.1f} s",
            f"{result.cost(prices):.3f}",
        ]
        lines.append(f"| {result.arm} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(results: Sequence[Result], confidence: float, path: Path) -> None:
    """Each arm on a line: the share of right answers with its interval, and what it is told beside it."""
    height = HEAD_INCHES + ROW_INCHES * len(results)
    figure = new_figure(height)
    number = len(results[0].given)
    write_title(figure, "Prompt, retrieval or fine-tuning", f"right answers to {number} held-out questions, in percent")
    axes = figure.add_axes((0.3, 0.3 / height, 0.44, ROW_INCHES * len(results) / height))
    for line, result in enumerate(reversed(results)):
        low, high = result.interval(confidence)
        colour = BETTER if result.arm in (ADAPTER, BOTH) else QUIET
        axes.plot([0, 100], [line, line], color=FAINT, linewidth=6, solid_capstyle="round", zorder=0)
        axes.plot([low, high], [line, line], color=colour, alpha=0.35, linewidth=6, solid_capstyle="round")
        axes.scatter([result.right], [line], s=90, color=colour, zorder=3)
        axes.text(-4, line, result.arm, ha="right", va="center", fontsize=11, color=INK)
        words = f"{result.right:.0f} %  ·  {result.prompt_tokens:,.0f} tokens"
        axes.text(104, line, words, ha="left", va="center", fontsize=11, color=INK)
    axes.set_xlim(0, 100)
    axes.set_ylim(-0.7, len(results) - 0.3)
    axes.axis("off")
    artifacts.write_bytes(path, as_png(figure))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"
