"""The model card tells base, licence, lineage and data in the Hub's form, and nothing of the machine."""

from pathlib import Path

import pytest
import yaml

from serving.base_model import licence_of
from store.settings import TrainingSettings
from trainer.training.card import model_card

JOB = {
    "name": "Night 2026-11-24: 40 reviewed answers",
    "base_model": "/models/small",
    "base_sha256": "ab" * 32,
    "dataset_sha256": "cd" * 32,
    "parent": "/adapters/v6",
    "parent_sha256": "ef" * 32,
    "preference": True,
    "thumbs": False,
    "settings": TrainingSettings(launch_arguments=["--main_process_ip", "10.0.0.1"]).model_dump(mode="json"),
}


def test_a_card_is_one_that_the_hub_understands(tmp_path: Path) -> None:
    base = tmp_path / "small"
    base.mkdir()
    (base / "README.md").write_text("---\nlicense: llama3.2\nlanguage: en\n---\nA model.\n")
    card = model_card({**JOB, "base_model": str(base)}, {"answers": 40}, {"tokens": 9, "odd | name": "a|b"})
    head = yaml.safe_load(card.split("---")[1])
    assert head == {
        "base_model": "small",
        "license": "llama3.2",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["lora", "sft", "dpo", "trl", "nightschool"],
    }
    for words in ("which is under llama3.2", f"adapter with sha256 {'ef' * 32}", "| answers | 40 |", r"a\|b"):
        assert words in card
    for private in ("10.0.0.1", str(tmp_path), "/adapters/v6"):
        assert private not in card


@pytest.mark.parametrize(
    "text", [None, "no head", "---\nlicense: [\n---\n", "---\n- a list\n---\n", "---\na: b\n---\n"]
)
def test_a_base_without_a_named_licence_is_told_to_be_so(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "README.md").write_text(text)
    assert licence_of(tmp_path) == ""
    card = model_card({**JOB, "base_model": str(tmp_path), "parent": None}, {}, {})
    assert "license: other" in card
    assert "name no licence: look there" in card
    assert "| trained onward from | the base model itself |" in card


def test_the_bundled_model_s_licence_is_known() -> None:
    assert licence_of(Path("/anywhere/smollm2-135m-instruct")) == "apache-2.0"
