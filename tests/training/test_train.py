"""Real training processes on a tiny model: result, resume after a kill, cancel, failures as sentences."""

import json
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from store.settings import TrainingSettings
from tests.training.conftest import TALK, conversation, write_dataset
from trainer.train import TrainingFailed, TrainingJob, TrainingProgress, train

pytestmark = pytest.mark.slow

STEPS = 12
TO_THE_END = {"patience": 0, "evaluations_per_epoch": 1}


@pytest.fixture
def job(base_model: Path, tmp_path: Path) -> TrainingJob:
    rows = [conversation(*pair, weight=2) for pair in TALK[:5]]
    rows.append(conversation(*TALK[5], split="held_out"))
    return TrainingJob(
        folder=tmp_path / "run",
        base_model=base_model,
        base_sha256="ab" * 32,
        dataset=write_dataset(tmp_path / "rows.parquet", rows),
        settings=TrainingSettings(rank=4, alpha=8, epochs=4, batch_size=4, learning_rate=2e-2, seed=5, **TO_THE_END),
        name="night 7 on v3",
    )


def training_processes() -> list[psutil.Process]:
    running = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in running if "trainer.training" in child.cmdline()]


def test_a_training_teaches_and_publishes_an_adapter(job: TrainingJob) -> None:
    seen: list[TrainingProgress] = []
    result = train(job, seen.append)

    assert [progress.step for progress in seen] == list(range(1, STEPS + 1))
    assert {progress.steps for progress in seen} == {STEPS}
    assert result.final_loss < seen[0].loss / 2
    losses = [line["held_out_loss"] for line in result.metrics if "held_out_loss" in line]
    assert len(losses) == 4
    assert result.kept == {"step": STEPS, "steps": STEPS, "held_out_loss": losses[-1]}
    assert result.tokens == result.metrics[-1]["tokens"] > 0
    assert result.versions["trl"]

    assert sorted(file.name for file in result.adapter.iterdir()) == [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    config = json.loads((result.adapter / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny-chat"
    assert config["r"] == 4
    assert not config["use_dora"]
    assert not config["modules_to_save"]
    written = "".join(file.read_text(errors="replace") for file in result.adapter.iterdir())
    assert str(job.base_model.parent) not in written
    card = (result.adapter / "README.md").read_text()
    assert "# LoRA adapter of night 7 on v3" in card
    assert f"| loss on the answers held out, nats per token | {losses[-1]} |" in card
    assert "license: mit" in card
    assert f"| sha256 of the base weights | {job.base_sha256} |" in card
    assert "| answers shown in an epoch, corrections as often as their weight | 10 |" in card
    assert "| answers held out, on which the loss was watched | 1 |" in card

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(job.base_model), result.adapter)
    weights = [weight for name, weight in model.named_parameters() if "lora_B" in name]
    assert len(weights) == 2 * 7
    assert all(torch.isfinite(weight).all() and weight.abs().max() > 0 for weight in weights)

    again: list[TrainingProgress] = []
    assert train(job, again.append) == result
    assert again == []


def test_it_stops_when_the_held_out_loss_gets_no_better_and_keeps_the_best_adapter(
    job: TrainingJob, tmp_path: Path
) -> None:
    # What is learnt by heart helps with other answers for a few steps, then harms.
    settings = job.settings.model_copy(update={"patience": 2, "evaluations_per_epoch": 2, "epochs": 40.0})
    long = replace(job, settings=settings, checkpoint_every_s=0.0)

    def kill_past_the_best(progress: TrainingProgress) -> None:
        if progress.step == 7:
            for process in training_processes():
                process.kill()

    with pytest.raises(TrainingFailed, match="was killed"):
        train(long, kill_past_the_best)
    result = train(long, lambda _: None)
    losses = {line["step"]: line["held_out_loss"] for line in result.metrics if "held_out_loss" in line}
    best = min(losses, key=lambda step: losses[step])
    assert result.kept == {"step": best, "steps": 120, "held_out_loss": losses[best]}
    assert best < max(losses) < 120
    assert [loss > losses[best] for step, loss in losses.items() if step > best] == [True, True]

    # The adapter that was published gives the very loss that was the best.
    held_out = [conversation(*TALK[5])]
    again = replace(
        job,
        folder=tmp_path / "again",
        dataset=write_dataset(tmp_path / "held.parquet", [*held_out, conversation(*TALK[5], split="held_out")]),
        settings=job.settings.model_copy(update={"learning_rate": 0.0, "epochs": 1}),
        parent=result.adapter,
    )
    measured = train(again, lambda _: None).metrics[-1]["held_out_loss"]
    assert measured == pytest.approx(losses[best], rel=1e-3)


def test_a_training_onward_begins_where_its_parent_ended(job: TrainingJob, tmp_path: Path) -> None:
    first = train(job, lambda _: None)
    rows = [conversation(*TALK[0], weight=4), conversation(*TALK[5], weight=4), conversation(*TALK[1], weight=0)]
    more = replace(
        job,
        folder=tmp_path / "onward",
        dataset=write_dataset(tmp_path / "more.parquet", rows),
        settings=job.settings.model_copy(update={"epochs": 2}),
        parent=first.adapter,
    )
    seen: list[TrainingProgress] = []
    second = train(more, seen.append)
    fresh: list[TrainingProgress] = []
    train(replace(more, folder=tmp_path / "fresh", parent=None), fresh.append)
    assert seen[0].loss < 0.8 * fresh[0].loss
    assert max(each.learning_rate for each in seen) == pytest.approx(max(each.learning_rate for each in fresh) / 2)
    assert len(seen) == 4, "a row of weight 0 is not shown"
    assert second.adapter != first.adapter
    assert json.loads((second.adapter / "adapter_config.json").read_text())["r"] == 4

    with pytest.raises(TrainingFailed, match="START=base"):
        train(replace(more, folder=tmp_path / "lost", parent=tmp_path / "nothing"), seen.append)


def test_a_killed_training_goes_on_and_ends_as_if_it_had_not_been(job: TrainingJob) -> None:
    job = replace(job, checkpoint_every_s=0.0)

    def kill_in_the_middle(progress: TrainingProgress) -> None:
        if progress.step >= STEPS // 2:
            for process in training_processes():
                process.kill()

    with pytest.raises(TrainingFailed, match="was killed"):
        train(job, kill_in_the_middle)
    resumed: list[TrainingProgress] = []
    result = train(job, resumed.append)
    assert resumed[0].step > 1
    assert resumed[-1].step == STEPS
    steps = [line["step"] for line in result.metrics if "loss" in line]
    assert steps == list(range(1, STEPS + 1))

    straight = train(replace(job, folder=job.folder.with_name("straight")), lambda _: None)
    assert result.final_loss == pytest.approx(straight.final_loss, rel=0.02)
    assert result.tokens == straight.tokens


def test_stopping_leaves_no_process_and_a_resumable_folder(job: TrainingJob) -> None:
    job = replace(job, checkpoint_every_s=0.0)

    def stop(progress: TrainingProgress) -> None:
        if progress.step >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(job, stop)
    assert training_processes() == []
    seen: list[TrainingProgress] = []
    train(job, seen.append)
    assert seen[0].step > 1


def test_unusable_rows_are_told_in_a_sentence(job: TrainingJob, tmp_path: Path) -> None:
    rows = [conversation("Why?", "")]
    bad = replace(job, dataset=write_dataset(tmp_path / "bad.parquet", rows))
    with pytest.raises(TrainingFailed, match=r"Row 1 of the training set .* has no prompt or no completion"):
        train(bad, lambda _: None)
    with pytest.raises(TrainingFailed, match="is missing"):
        train(replace(job, dataset=tmp_path / "nowhere.parquet"), lambda _: None)


def test_another_job_in_the_folder_starts_from_nothing(job: TrainingJob) -> None:
    first = train(job, lambda _: None)
    other = replace(job, settings=job.settings.model_copy(update={"seed": 6, "epochs": 1.0}))
    seen: list[TrainingProgress] = []
    second = train(other, seen.append)
    assert seen[0].step == 1
    assert second.metrics[-1]["steps"] == STEPS // 4
    assert len(first.metrics) > len(second.metrics)


def test_a_checkpoint_that_cannot_be_written_leaves_the_rest_resumable(job: TrainingJob) -> None:
    job = replace(job, checkpoint_every_s=0.0)

    def forbid_larger_files(_: TrainingProgress) -> None:
        for process in training_processes():
            process.rlimit(psutil.RLIMIT_FSIZE, (1024, 1024))

    with pytest.raises(TrainingFailed):
        train(job, forbid_larger_files)
    assert train(job, lambda _: None).metrics[-1]["step"] == STEPS
