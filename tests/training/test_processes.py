"""Two processes that train together, over gloo, learn what one learns alone."""

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from store.settings import TrainingSettings
from tests.training.conftest import TALK, conversation, write_dataset
from trainer.launch import command
from trainer.train import TrainingFailed, TrainingJob, TrainingProgress, train

STEPS = 6


@pytest.fixture(params=["packed", "plain"])
def job(request: pytest.FixtureRequest, base_model: Path, plain_model: Path, tmp_path: Path) -> TrainingJob:
    rows = [conversation(*pair, weight=2, rejected="I do not know.", thumb=None) for pair in TALK[:4]]
    rows += [conversation(*pair, split="thumb", weight=0, thumb=weight) for pair in TALK[:4] for weight in (0.6, -0.9)]
    rows += [conversation(*TALK[5], split="held_out"), conversation(*TALK[4], split="held_out")]
    settings = TrainingSettings(
        rank=4, alpha=8, epochs=3, batch_size=4, learning_rate=1e-2, seed=5, patience=0, threads=1, processes=2
    )
    return TrainingJob(
        folder=tmp_path / "pair",
        base_model=base_model if request.param == "packed" else plain_model,
        base_sha256="ab" * 32,
        dataset=write_dataset(tmp_path / "rows.parquet", rows),
        settings=settings,
        name="night 7 on v3",
        preference=True,
        thumbs=True,
        checkpoint_every_s=0.0,
    )


def training_processes() -> list[psutil.Process]:
    found = psutil.Process().children(recursive=True)
    return [each for each in found if each.status() != psutil.STATUS_ZOMBIE and "trainer.training" in each.cmdline()]


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_also_when_one_dies_between(job: TrainingJob) -> None:
    most = 0

    def kill_one(progress: TrainingProgress) -> None:
        nonlocal most
        workers = [each for each in training_processes() if "accelerate.commands.launch" not in each.cmdline()]
        most = max(most, len(workers))
        if progress.step >= STEPS // 2 and workers:
            workers[-1].kill()

    with pytest.raises(TrainingFailed):
        train(job, kill_one)
    assert most == 2
    assert training_processes() == []
    resumed: list[TrainingProgress] = []
    pair = train(job, resumed.append)
    assert resumed[0].step > 1, "it goes on from its checkpoint"

    alone = train(
        replace(job, folder=job.folder.with_name("alone"), settings=job.settings.model_copy(update={"processes": 1})),
        lambda _: None,
    )
    for name in ("loss", "held_out_loss", "learning_rate"):
        both = [[line[name] for line in result.metrics if name in line] for result in (pair, alone)]
        assert len(both[0]) > 2
        assert both[0] == pytest.approx(both[1], rel=2e-2), name
    assert pair.tokens == alone.tokens
    assert pair.preference["loss"] == pytest.approx(alone.preference["loss"], rel=2e-2)
    assert pair.thumbs["loss"] == pytest.approx(alone.thumbs["loss"], rel=2e-2)
    assert (pair.adapter / "adapter_model.safetensors").stat().st_size > 1000


@pytest.mark.slow
@pytest.mark.parametrize("job", ["packed"], indirect=True)
def test_a_step_that_cannot_be_shared_evenly_is_refused_in_words(job: TrainingJob) -> None:
    odd = replace(job, settings=job.settings.model_copy(update={"batch_size": 5}))
    with pytest.raises(TrainingFailed, match=r"BATCH_SIZE is 5, which 2 processes .* cannot share evenly"):
        train(odd, lambda _: None)


def test_one_process_needs_no_launcher_and_several_take_more_arguments(tmp_path: Path) -> None:
    assert command(tmp_path, TrainingSettings())[1:] == ["-m", "trainer.training", str(tmp_path)]
    several = command(tmp_path, TrainingSettings(processes=4, launch_arguments=["--num_machines", "2"]))
    assert several[2] == "accelerate.commands.launch"
    assert several[several.index("--num_processes") + 1] == "4"
    assert several[-5:] == ["--num_machines", "2", "-m", "trainer.training", str(tmp_path)]
