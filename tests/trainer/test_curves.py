"""The curves of a training are a picture that can be read, whatever stages it had."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from store.chart_style import BETTER, UNSURE
from trainer.curves import draw_curves


def lines(method: str, steps: int, *, held_out: bool) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for step in range(1, steps + 1):
        made.append({"method": method, "step": step, "loss": 2 / step, "learning_rate": 1e-3 * (1 - step / steps)})
        if held_out and step % 5 == 0:
            made.append({"method": method, "step": step, "steps": steps, "held_out_loss": 1 + abs(step - 20) / steps})
    return made


def share_of(picture: Any, colour: str) -> float:
    wanted = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return float((np.abs(picture[:, :, :3] - wanted).max(axis=2) < 0.02).mean())


@pytest.mark.parametrize(
    ("metrics", "kept", "green"),
    [
        (lines("SFT", 60, held_out=True), 20, True),
        (lines("SFT", 60, held_out=True) + lines("DPO", 7, held_out=False), 20, True),
        (lines("SFT", 1, held_out=False), None, False),
    ],
)
def test_each_loss_has_its_curve(metrics: list[dict[str, Any]], kept: int | None, green: bool, tmp_path: Path) -> None:
    file = tmp_path / "reports" / "training.png"
    draw_curves(metrics, "Training of night 2026-11-24", kept, file)
    picture = imread(file)
    assert picture.shape[:2] == (735, 1080)
    assert share_of(picture, UNSURE) > 5e-5
    assert (share_of(picture, BETTER) > 5e-5) is green
    assert file.stat().st_size < 200_000
