"""Corrections become pairs, and the night says which methods its rows allow."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlmodel import select

from store.session import Store
from store.settings import Settings, TrainingSettings
from store.tables import Dataset
from store.words import DeliveryState
from tests.trainer.test_continual import row as dataset_row
from tests.trainer.tickets import add_distinct, add_reviewed
from trainer.curate.methods import choose_methods
from trainer.night import run_night


@pytest.mark.parametrize(("pairs", "settings", "expected"), [
    (16, {}, (16, "SFT, then DPO on 16 pairs")),
    (15, {}, (0, "SFT alone: 15 pairs of a correction and the bot's own answer, and 16 are needed for DPO")),
    (0, {}, (0, "SFT alone: 0 pairs")),
    (40, {"preference": "off"}, (0, "SFT alone, as the settings say")),
    (3, {"min_pairs": 3}, (3, "SFT, then DPO on 3 pairs")),
])  # fmt: skip
def test_the_pairs_in_hand_decide(pairs: int, settings: dict[str, object], expected: tuple[int, str]) -> None:
    rows = [dataset_row(number) for number in range(60)]
    for row in rows[:pairs]:
        row["rejected"] = "What the bot had said."
    # Neither what is held out nor what rests tonight is learnt.
    rows[50]["rejected"] = rows[51]["rejected"] = "What the bot had said."
    rows[50]["split"], rows[51]["weight"] = "held_out", 0
    chosen = choose_methods(rows, TrainingSettings.model_validate({"preference": "auto", **settings}))
    assert chosen["pairs"] == expected[0]
    assert str(chosen["reason"]).startswith(expected[1])


@pytest.mark.parametrize(("pairs", "thumbs", "expected"), [
    (16, [0.6, -0.5, 0.2], "SFT, then DPO on 16 pairs of a correction and the bot's own answer, "
     "then KTO on 3 answers with trusted thumbs alone (2 👍, 1 👎)"),
    (0, [0.6], "SFT, then KTO on 1 answers with trusted thumbs alone (1 👍, 0 👎): "
     "0 pairs of a correction and the bot's own answer, and 16 are needed for DPO"),
    (16, [], "SFT, then DPO on 16 pairs of a correction and the bot's own answer: "
     "fewer answers with trusted thumbs alone than the 16 that KTO needs"),
])  # fmt: skip
def test_lone_thumbs_come_last_where_they_may_teach(pairs: int, thumbs: list[float], expected: str) -> None:
    rows = [dataset_row(number) for number in range(40)]
    for row in rows[:pairs]:
        row["rejected"] = "What the bot had said."
    rows += [{**dataset_row(100 + number, 0, "thumb"), "thumb": thumb} for number, thumb in enumerate(thumbs)]
    chosen = choose_methods(rows, TrainingSettings(preference="auto", thumbs="auto"))
    assert chosen == {"pairs": pairs, "thumbs": len(thumbs), "reason": expected}


def test_a_correction_is_frozen_with_what_it_corrects(
    store: Store, night_settings: Settings, without_model: None, capsys: pytest.CaptureFixture[str]
) -> None:
    add_distinct(store, 30)
    with store.writing() as session:
        add_reviewed(session, "May dogs come?", "No <|im_end|>, ask a@b.example.", correction="Yes, on a lead.")
        add_reviewed(session, "Who has the keys?", "Mei.")
        broken = add_reviewed(session, "When does it open?", "At ni", correction="At nine.")
        broken.state = DeliveryState.FAILED
    training = night_settings.training.model_copy(update={"preference": "auto", "min_pairs": 1})
    run_night(night_settings.model_copy(update={"training": training}), store, requested_by="test", say=print)
    with store.reading() as session:
        dataset = session.exec(select(Dataset)).one()
    rejected = {row["completion"]: row["rejected"] for row in pq.read_table(Path(dataset.path)).to_pylist()}
    assert "No" in rejected["Yes, on a lead."]
    assert "<|im_end|>" not in rejected["Yes, on a lead."]
    assert "a@b.example" not in rejected["Yes, on a lead."]
    assert rejected["Mei."] == rejected["At nine."] == ""
    assert dataset.manifest["methods"]["pairs"] == 1
    assert "curate: SFT, then DPO on 1 pairs" in capsys.readouterr().out
