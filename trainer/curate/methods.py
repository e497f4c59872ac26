"""Which methods tonight's rows allow.

Every reviewed answer is shown as it should be (SFT). Where enough of them correct what the bot had said, it then learns
to prefer the correction to that (DPO).
"""

from collections.abc import Sequence
from typing import Any

from store.settings import TrainingSettings
from store.words import Split
from trainer.curate.freeze import Row


def choose_methods(rows: Sequence[Row], settings: TrainingSettings) -> dict[str, Any]:
    """The methods for a dataset, as its manifest keeps them: `pairs` to prefer by (0 for none), and why, in words."""
    pairs = sum(bool(row["rejected"]) for row in rows if row["split"] == Split.TRAIN and row["weight"])
    what = f"{pairs} pairs of a correction and the bot's own answer"
    if settings.preference == "off":
        return {"pairs": 0, "reason": "SFT alone, as the settings say"}
    if pairs < settings.min_pairs:
        return {"pairs": 0, "reason": f"SFT alone: {what}, and {settings.min_pairs} are needed for DPO"}
    return {"pairs": pairs, "reason": f"SFT, then DPO on {what}"}
