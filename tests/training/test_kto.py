"""The stage for lone thumbs: the loss and gradients of TRL's KTOTrainer, and a training that ends where it should."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer
from trl import KTOTrainer

from store.settings import TrainingSettings
from tests.training.conftest import TALK, conversation, write_dataset
from tests.training.test_packed_training import adapted, assert_same, gradients
from tests.training.test_preference import BETA, WORSE, moved
from tests.training.test_train import training_processes
from trainer.train import DPO, KTO, SFT, TrainingFailed, TrainingJob, TrainingProgress, train
from trainer.training import packed_model
from trainer.training.hardware import detect
from trainer.training.kto import (
    PackedThumbTrainer,
    ThumbCollator,
    ThumbTrainer,
    Voted,
    balance,
    kto_arguments,
    losses,
    packed_arguments,
    packed_dataset,
    plain_dataset,
    voted_rows,
)
from trainer.training.packed_model import log_probabilities
from trainer.training.progress import ProgressCallback, ProgressFile
from trainer.training.rows import Thumb, encode

ONE_STEP = TrainingSettings(preference_beta=BETA, batch_size=12, seed=5)


def thumbs_of(base_model: Path, good: float = 1.0, bad: float = -1.0, bad_ones: int = 6) -> list[Thumb]:
    tokenizer = AutoTokenizer.from_pretrained(base_model)
    made = []
    for number, ((question, answer), worse) in enumerate(zip(TALK, WORSE, strict=True)):
        prompt = conversation(question, answer)["prompt"]
        made.append(Thumb(encode(tokenizer, prompt, answer), good))
        if number < bad_ones:
            made.append(Thumb(encode(tokenizer, prompt, worse), bad))
    return made


def trainer_of(kind: str, base_model: Path, rows: list[Voted], settings: TrainingSettings, folder: Path) -> Any:
    """TRL's trainer or that over packed rows, with progress in a file of its kind."""
    shared = {
        "model": adapted(base_model, fast=kind == "packs"),
        "processing_class": AutoTokenizer.from_pretrained(base_model),
        "progress": ProgressCallback(ProgressFile(folder / f"{kind}.jsonl", KTO, 0), 60),
    }
    if kind == "trl":
        args = kto_arguments(settings, folder, len(rows), detect())
        return ThumbTrainer(args=args, train_dataset=plain_dataset(rows), **shared)
    causal_lm = shared["model"].get_base_model()
    packed_model.packed_attention.register()
    causal_lm.set_attn_implementation(packed_model.packed_attention.NAME)
    return PackedThumbTrainer(
        args=packed_arguments(settings, folder, len(rows), detect()),
        train_dataset=packed_dataset(causal_lm, rows), hardware=detect(), beta=BETA, **shared,
    )  # fmt: skip


def by_trl(base_model: Path, rows: list[Voted], folder: Path) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients of one batch by TRL's own `compute_loss`, whose reference is a second copy of the adapter.

    Its two factors are the weights of good and of bad rows, each of which must be one number here.
    """
    trainer = trainer_of("trl", base_model, rows, ONE_STEP, folder)
    batch = trainer.data_collator(list(trainer.train_dataset))
    del batch["weight"]
    (trainer.desirable_weight,) = {each.weight for each in rows if each.good}
    (trainer.undesirable_weight,) = {each.weight for each in rows if not each.good}
    loss = KTOTrainer.compute_loss(trainer, moved(trainer.model), batch)
    loss.backward()
    return float(loss.detach()), gradients(trainer.model)


def by_packs(base_model: Path, rows: list[Voted], folder: Path) -> tuple[float, dict[str, torch.Tensor]]:
    trainer = trainer_of("packs", base_model, rows, ONE_STEP, folder)
    inputs = ThumbCollator()(list(trainer.train_dataset))
    moved(trainer.model)
    loss = trainer.training_step(trainer.model, inputs)
    return float(loss), gradients(trainer.model)


@pytest.mark.parametrize("pack_tokens", [2048, 150])
@pytest.mark.parametrize(("good", "bad"), [(1.0, -1.0), (0.9, -0.3)])
def test_loss_and_adapter_gradients_equal_trl_s(
    base_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack_tokens: int, good: float, bad: float
) -> None:
    monkeypatch.setattr("trainer.training.packing.MAX_PACK_TOKENS", pack_tokens)
    rows = voted_rows(thumbs_of(base_model, good, bad), ONE_STEP)
    found, expected = by_packs(base_model, rows, tmp_path), by_trl(base_model, rows, tmp_path)
    at_rest = sum(each.weight for each in rows) / (2 * len(rows))
    assert abs(expected[0] - at_rest) > 0.01, "the model has moved away from the reference"
    assert_same(found, expected, atol=1e-5)


def test_each_row_weighs_as_much_as_its_voters_are_trusted(base_model: Path, tmp_path: Path) -> None:
    """In TRL's trainer, where our weights take the place of its two factors, and over packs alike."""
    thumbs = [replace(each, weight=each.weight * (place + 1) / 12) for place, each in enumerate(thumbs_of(base_model))]
    rows = voted_rows(thumbs, ONE_STEP)
    trainer = trainer_of("trl", base_model, rows, ONE_STEP, tmp_path)
    loss = trainer.compute_loss(moved(trainer.model), trainer.data_collator(list(trainer.train_dataset)))
    loss.backward()
    expected = float(loss.detach()), gradients(trainer.model)
    assert_same(by_packs(base_model, rows, tmp_path), expected, atol=1e-5)
    even = by_trl(base_model, [replace(each, weight=1.0) for each in rows], tmp_path)
    assert abs(even[0] - expected[0]) > 0.01


def test_a_good_answer_shall_become_likelier_and_a_bad_one_less(base_model: Path, tmp_path: Path) -> None:
    rows = voted_rows(thumbs_of(base_model, 0.8, -0.5), ONE_STEP)
    trainer = trainer_of("packs", base_model, rows, ONE_STEP, tmp_path)
    (pack,) = ThumbCollator()(list(trainer.train_dataset))["packs"]
    logps = log_probabilities(trainer.model.get_base_model(), pack.pack).detach().requires_grad_()
    losses(logps, pack, 0.0, BETA).sum().backward()
    assert logps.grad is not None
    assert torch.equal(logps.grad.sign(), -pack.weights.sign())


def test_the_fewer_kind_is_raised_towards_the_other_but_not_without_end() -> None:
    assert balance([1.0, 1.0, 1.0, -1.0]) == (1.0, 3.0)
    assert balance([0.5, -1.0, -0.5]) == (3.0, 1.0)
    assert balance([1.0] * 100 + [-1.0]) == (1.0, 4.0)
    assert balance([1.0, 0.5]) == (1.0, 1.0)


def test_answers_are_measured_under_the_prompts_of_their_own_step_and_cut_there(base_model: Path) -> None:
    thumbs = thumbs_of(base_model)
    settings = TrainingSettings(batch_size=4, seed=5, max_length=max(len(each.row.ids) for each in thumbs))
    rows = voted_rows(thumbs, settings)
    assert len(rows) == 12
    for start in range(0, 12, 4):
        step = rows[start : start + 4]
        for place, each in enumerate(step):
            other, begins = step[place - 1].row, each.row.completion_start
            assert each.mismatched.ids[:begins] == each.row.ids[:begins]
            answer = other.ids[other.completion_start :]
            assert each.mismatched.ids[begins:] == answer[: settings.max_length - begins]
    assert max(len(each.mismatched.ids) for each in rows) <= settings.max_length
    assert len(voted_rows(thumbs[:9], settings)) == 8, "no answer is alone in a step"


def test_step_by_step_the_losses_are_trl_s(base_model: Path, tmp_path: Path) -> None:
    """Both trainers from one adapter over the same batches in the same order, in float32."""
    settings = TrainingSettings(
        preference_beta=BETA, preference_learning_rate=5e-3, preference_epochs=3, batch_size=4, seed=5
    )
    rows = voted_rows(thumbs_of(base_model, 0.9, -0.6, bad_ones=4), settings)
    found: dict[str, list[float]] = {}
    for kind in ("trl", "packs"):
        trainer_of(kind, base_model, rows, settings, tmp_path).train()
        found[kind] = [json.loads(line)["loss"] for line in (tmp_path / f"{kind}.jsonl").read_text().splitlines()]
    assert len(found["trl"]) == 9
    assert found["trl"][-1] < found["trl"][0] - 0.1
    assert found["packs"] == pytest.approx(found["trl"], abs=2e-3)


@pytest.fixture
def job(base_model: Path, tmp_path: Path) -> TrainingJob:
    rows = [conversation(*pair, rejected=worse, thumb=None) for pair, worse in zip(TALK[:4], WORSE, strict=False)]
    for (question, answer), worse in zip(TALK, WORSE, strict=True):
        rows.append(conversation(question, answer, split="thumb", weight=0, thumb=0.9))
        rows.append(conversation(question, worse, split="thumb", weight=0, thumb=-0.7))
    settings = TrainingSettings(
        rank=4, alpha=8, epochs=1, batch_size=4, learning_rate=1e-2, seed=5,
        preference_epochs=4, preference_learning_rate=1e-2, preference_beta=BETA,
    )  # fmt: skip
    return TrainingJob(
        folder=tmp_path / "run",
        base_model=base_model,
        base_sha256="ab" * 32,
        dataset=write_dataset(tmp_path / "rows.parquet", rows),
        settings=settings,
        name="night 7",
        thumbs=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("packed", [True, False])
def test_thumbs_are_learnt_after_the_reviewed_answers(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, packed: bool
) -> None:
    if not packed:
        # As for a model that the packed way does not fit: a sitecustomize in the training process's path refuses it.
        (tmp_path / "sitecustomize.py").write_text(
            "import trainer.training.packed_model as model\nmodel.enable = lambda *_: False\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    seen: list[TrainingProgress] = []
    result = train(job, seen.append)
    assert [step.method for step in seen] == [SFT] + [KTO] * 12
    told = [step.loss for step in seen if step.method == KTO]
    assert told[-1] < told[0] - 0.05
    assert result.thumbs == {"up": 6, "down": 6, "loss": told[-1]}
    assert result.preference == {}
    assert "| answers with votes alone | 12 |" in (result.adapter / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("method", [DPO, KTO])
def test_a_kill_in_a_later_stage_ends_as_if_it_had_not_been(job: TrainingJob, method: str) -> None:
    job = replace(job, preference=True, checkpoint_every_s=0.0)

    def kill_in_the_middle(progress: TrainingProgress) -> None:
        if progress.method == method and progress.step >= 2:
            for process in training_processes():
                process.kill()

    with pytest.raises(TrainingFailed, match="was killed"):
        train(job, kill_in_the_middle)
    resumed: list[TrainingProgress] = []
    result = train(job, resumed.append)
    assert SFT not in {step.method for step in resumed}
    assert method == DPO or DPO not in {step.method for step in resumed}
    lines = [line for line in result.metrics if "loss" in line]
    assert [(line["method"], line["step"]) for line in lines] == [
        (SFT, 1), *((DPO, step) for step in range(1, 9)), *((KTO, step) for step in range(1, 13)),
    ]  # fmt: skip
    straight = train(replace(job, folder=job.folder.with_name("straight")), lambda _: None)
    assert result.tokens == straight.tokens
    assert result.thumbs["loss"] == pytest.approx(straight.thumbs["loss"], abs=0.05)
