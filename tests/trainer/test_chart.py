"""The chart of the morning card is a picture that can be read."""

from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread

from store.tables import Evaluation
from store.words import GateVerdict
from trainer.chart import draw, value_in_words
from trainer.scores import NATS, NATS_OF_ALL


def measure(name: str, champion: float, candidate: float, **more: Any) -> dict[str, Any]:
    difference = candidate - champion
    found = {"name": name, "label": f"Measure {name}", "unit": "points", "candidate": candidate, "champion": champion}
    return {**found, "difference": difference, "low": difference - 1, "high": difference + 1, "better": None, **more}


@pytest.mark.parametrize("verdict", list(GateVerdict))
def test_a_chart_is_a_png_with_ink_on_it(tmp_path: Path, verdict: GateVerdict) -> None:
    measures = [
        measure("likelihood", -3.1, -1.2, better=True, unit="nats per token"),
        measure("facts", 8.0, 71.0, better=True, unit="%"),
        measure("chrf", 22.0, 22.0),
        measure("rouge_l", 30.0, 20.0, better=False),
        measure("length", 3.0, 1.0),
    ]
    evaluation = Evaluation(
        night_id=1, candidate="v2", champion="base", verdict=verdict, metrics={"items": 20, "measures": measures}
    )
    file = tmp_path / "charts" / "comparison.png"
    draw(evaluation, file)
    assert file.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    picture = imread(file)
    height, width = picture.shape[:2]
    assert (width, height) == (1080, 757)
    assert 0.01 < float((picture[:, :, :3].min(axis=2) < 0.9).mean()) < 0.5
    assert file.stat().st_size < 200_000


def test_what_is_counted_in_nats_is_shown_behind_the_point() -> None:
    small = measure("general", -1.238, -1.311, unit=NATS)
    assert value_in_words(small, small["candidate"]) == "-1.31"
    whole = measure("general", 6.89, 6.57, unit=NATS_OF_ALL)
    assert value_in_words(whole, whole["candidate"]) == "6.6"
    assert value_in_words(measure("facts", 8.0, 71.4, unit="%"), 71.4) == "71 %"


def test_a_chart_without_measures_still_has_its_title(tmp_path: Path) -> None:
    evaluation = Evaluation(
        night_id=1, candidate="v2", champion="v1", verdict=GateVerdict.HOLD, metrics={"items": 1, "measures": []}
    )
    draw(evaluation, tmp_path / "empty.png")
    assert (tmp_path / "empty.png").stat().st_size > 1000
