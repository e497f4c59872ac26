"""The preference stage: the loss and the gradients of TRL's DPOTrainer, and a training that ends where it should."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import logsigmoid
from transformers import AutoTokenizer
from trl import DPOConfig

from store.settings import TrainingSettings
from tests.training.conftest import TALK, conversation, write_dataset
from tests.training.test_packed_training import adapted, assert_same, gradients
from tests.training.test_train import training_processes
from trainer.train import DPO, SFT, TrainingFailed, TrainingJob, TrainingProgress, train
from trainer.training import packed_model
from trainer.training.hardware import detect
from trainer.training.packed_model import log_probabilities
from trainer.training.preference import (
    PackedPreferenceTrainer,
    PairCollator,
    PreferenceTrainer,
    dpo_arguments,
    packed_dataset,
    plain_dataset,
    preferences,
    settings_of_stage,
)
from trainer.training.progress import ProgressCallback, ProgressFile
from trainer.training.rows import Pair, encode
from trainer.training.trainer import arguments

BETA = 0.5
WORSE = [
    "Ask somebody else.",
    "I do not know.",
    "No.",
    "Nowhere that I know of, sorry.",
    "It is not.",
    "Why?",
]


def pairs_of(base_model: Path) -> list[Pair]:
    tokenizer = AutoTokenizer.from_pretrained(base_model)
    made = []
    for (question, answer), worse in zip(TALK, WORSE, strict=True):
        prompt = conversation(question, answer)["prompt"]
        made.append(Pair(encode(tokenizer, prompt, answer), encode(tokenizer, prompt, worse)))
    return made


def moved(model: Any) -> Any:
    """The model after a step away from the reference."""
    torch.manual_seed(11)
    for name, parameter in model.named_parameters():
        if "lora_B.default" in name:
            parameter.data += 0.05 * torch.randn_like(parameter)
    return model


def by_trl(base_model: Path, pairs: list[Pair], folder: Path) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients of one batch in TRL's own trainer, whose reference is a second copy of the adapter."""
    arguments = dpo_arguments(TrainingSettings(preference_beta=BETA), folder, len(pairs), detect())
    assert isinstance(arguments, DPOConfig)
    trainer = PreferenceTrainer(
        model=adapted(base_model, fast=False),
        args=arguments,
        train_dataset=plain_dataset(pairs),
        processing_class=AutoTokenizer.from_pretrained(base_model),
        progress=ProgressCallback(ProgressFile(folder / "progress.jsonl", DPO, 0), 60),
    )
    batch = trainer.data_collator(list(trainer.train_dataset))
    loss = trainer.compute_loss(moved(trainer.model), batch)
    loss.backward()
    return float(loss.detach()), gradients(trainer.model)


def by_packs(base_model: Path, pairs: list[Pair]) -> tuple[float, dict[str, torch.Tensor]]:
    model = adapted(base_model, fast=True)
    causal_lm = model.get_base_model()
    packed_model.packed_attention.register()
    causal_lm.set_attn_implementation(packed_model.packed_attention.NAME)
    causal_lm.enable_input_require_grads()
    examples = list(packed_dataset(pairs, preferences(causal_lm, pairs)))
    moved(model)
    total = 0.0
    for each in PairCollator()(examples)["packs"]:
        logps = log_probabilities(causal_lm, each.pack).view(-1, 2)
        loss = -logsigmoid(BETA * (logps[:, 0] - logps[:, 1] - each.references)).sum() / len(pairs)
        loss.backward()
        total += float(loss.detach())
    return total, gradients(model)


@pytest.mark.parametrize("pack_tokens", [2048, 150])
def test_loss_and_adapter_gradients_equal_trl_s(
    base_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack_tokens: int
) -> None:
    monkeypatch.setattr("trainer.training.packing.MAX_PACK_TOKENS", pack_tokens)
    pairs = pairs_of(base_model)
    found, expected = by_packs(base_model, pairs), by_trl(base_model, pairs, tmp_path)
    assert abs(expected[0] - 0.6931) > 0.01, "the model has moved away from the reference"
    # A difference of differences of sums: the gradients are of the order of 0.1.
    assert_same(found, expected, atol=1e-5)


def test_step_by_step_the_losses_are_trl_s(base_model: Path, tmp_path: Path) -> None:
    """Both trainers from one adapter over the same batches in the same order, in float32."""
    pairs, hardware = pairs_of(base_model), detect()
    settings = TrainingSettings(
        preference_beta=BETA, preference_learning_rate=5e-3, preference_epochs=3, batch_size=4, seed=5
    )
    tokenizer = AutoTokenizer.from_pretrained(base_model)
    losses: dict[str, list[float]] = {}
    for kind in ("trl", "packs"):
        file = tmp_path / f"{kind}.jsonl"
        shared = {
            "model": adapted(base_model, fast=kind == "packs"),
            "processing_class": tokenizer,
            "progress": ProgressCallback(ProgressFile(file, DPO, 0), 60),
        }
        if kind == "trl":
            args = dpo_arguments(settings, tmp_path, len(pairs), hardware)
            trainer: Any = PreferenceTrainer(args=args, train_dataset=plain_dataset(pairs), **shared)
        else:
            causal_lm = shared["model"].get_base_model()
            packed_model.packed_attention.register()
            causal_lm.set_attn_implementation(packed_model.packed_attention.NAME)
            trainer = PackedPreferenceTrainer(
                args=arguments(settings_of_stage(settings), tmp_path, len(pairs), hardware),
                train_dataset=packed_dataset(pairs, preferences(causal_lm, pairs)),
                hardware=hardware, beta=BETA, **shared,
            )  # fmt: skip
        trainer.train()
        losses[kind] = [json.loads(line)["loss"] for line in file.read_text().splitlines()]
    assert len(losses["trl"]) == 9
    assert losses["trl"][-1] < 0.5
    assert losses["packs"] == pytest.approx(losses["trl"], abs=2e-3)


def test_the_reference_itself_has_no_preference_over_itself(base_model: Path) -> None:
    model = adapted(base_model, fast=True)
    causal_lm = model.get_base_model()
    packed_model.packed_attention.register()
    causal_lm.set_attn_implementation(packed_model.packed_attention.NAME)
    pairs = pairs_of(base_model)
    one_by_one = [preferences(causal_lm, [pair])[0] for pair in pairs]
    assert preferences(causal_lm, pairs) == pytest.approx(one_by_one, abs=1e-3)


@pytest.fixture
def job(base_model: Path, tmp_path: Path) -> TrainingJob:
    rows = [conversation(*pair, rejected=worse) for pair, worse in zip(TALK[:5], WORSE, strict=False)]
    rows.append(conversation(*TALK[5], split="held_out"))
    settings = TrainingSettings(
        rank=4, alpha=8, epochs=2, batch_size=4, learning_rate=1e-2, seed=5,
        preference_epochs=4, preference_learning_rate=1e-2, preference_beta=BETA,
    )  # fmt: skip
    return TrainingJob(
        folder=tmp_path / "run",
        base_model=base_model,
        base_sha256="ab" * 32,
        dataset=write_dataset(tmp_path / "rows.parquet", rows),
        settings=settings,
        name="night 7",
        preference=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("packed", [True, False])
def test_the_answer_that_was_corrected_becomes_less_likely_than_its_correction(
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
    assert [step.method for step in seen] == [SFT] * 4 + [DPO] * 12
    losses = [step.loss for step in seen if step.method == DPO]
    assert losses[0] == pytest.approx(0.693, abs=0.01)
    assert losses[-1] < 0.3
    assert result.preference == {"pairs": 5, "loss": losses[-1]}
    assert result.final_loss == seen[3].loss
    before = (job.folder / "supervised" / "adapter_model.safetensors").read_bytes()
    assert (result.adapter / "adapter_model.safetensors").read_bytes() != before


@pytest.mark.slow
@pytest.mark.parametrize("method", [SFT, DPO])
def test_a_kill_in_either_stage_ends_as_if_it_had_not_been(job: TrainingJob, method: str) -> None:
    job = replace(job, checkpoint_every_s=0.0)

    def kill_in_the_middle(progress: TrainingProgress) -> None:
        if progress.method == method and progress.step >= 2:
            for process in training_processes():
                process.kill()

    with pytest.raises(TrainingFailed, match="was killed"):
        train(job, kill_in_the_middle)
    resumed: list[TrainingProgress] = []
    result = train(job, resumed.append)
    assert [step.method for step in resumed].count(SFT) == (0 if method == DPO else len(resumed) - 12)
    lines = [line for line in result.metrics if "loss" in line]
    assert [(line["method"], line["step"]) for line in lines] == [
        *((SFT, step) for step in range(1, 5)), *((DPO, step) for step in range(1, 13)),
    ]  # fmt: skip
    straight = train(replace(job, folder=job.folder.with_name("straight")), lambda _: None)
    assert result.tokens == straight.tokens
    assert result.preference["loss"] == pytest.approx(straight.preference["loss"], abs=0.05)


@pytest.mark.slow
def test_where_it_is_not_wanted_there_is_no_such_stage(job: TrainingJob) -> None:
    seen: list[TrainingProgress] = []
    result = train(replace(job, preference=False), seen.append)
    assert {step.method for step in seen} == {SFT}
    assert result.preference == {}
    assert not (job.folder / "supervised").exists()
