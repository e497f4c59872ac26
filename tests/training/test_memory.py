"""A training whose memory runs out goes on by itself in smaller parts, with the same rows a step and the same loss."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from store.failpoints import VARIABLE
from store.settings import TrainingSettings
from tests.training.conftest import TALK, conversation, write_dataset
from trainer import memory
from trainer.memory import OUT_OF_MEMORY, Watch, divide, parts_of_step, rows_at_once
from trainer.train import TrainingFailed, TrainingJob, TrainingProgress, TrainingResult, train

STEPS = 10


@pytest.fixture(params=["packed", "plain"])
def job(request: pytest.FixtureRequest, base_model: Path, plain_model: Path, tmp_path: Path) -> TrainingJob:
    rows = [conversation(*pair, weight=2, rejected="I do not know.") for pair in TALK[:5]]
    rows.append(conversation(*TALK[5], split="held_out"))
    settings = TrainingSettings(rank=4, alpha=8, epochs=5, batch_size=8, learning_rate=1e-2, seed=5, patience=0)
    return TrainingJob(
        folder=tmp_path / "run",
        base_model=base_model if request.param == "packed" else plain_model,
        base_sha256="ab" * 32,
        dataset=write_dataset(tmp_path / "rows.parquet", rows),
        settings=settings,
        name="night 7 on v3",
        preference=True,
        checkpoint_every_s=0.0,
    )


def losses(result: TrainingResult) -> list[float]:
    return [line["loss"] for line in result.metrics if "loss" in line]


def held_out(result: TrainingResult) -> list[float]:
    return [line["held_out_loss"] for line in result.metrics if "held_out_loss" in line]


@pytest.mark.slow
def test_it_goes_on_in_smaller_parts_with_the_same_losses(job: TrainingJob, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train(replace(job, folder=job.folder.with_name("whole")), lambda _: None)
    # The process that takes over has fewer steps before it than that, so it is spared.
    monkeypatch.setenv(VARIABLE, "training.step=starve@8")
    seen: list[TrainingProgress] = []
    said: list[str] = []
    result = train(job, seen.append, say=said.append)

    assert said == ["The training ran out of memory. It goes on with each step computed in 2 parts: the same loss."]
    assert (whole.parts, result.parts) == (1, 2)
    supervised = [each.step for each in seen if each.method == "SFT"]
    assert supervised == list(range(1, STEPS + 1)), "no step was lost or done twice"
    assert losses(result) == pytest.approx(losses(whole), rel=2e-2)
    assert losses(result)[0] > losses(result)[STEPS - 1] + 1, "it learns"
    assert held_out(result) == pytest.approx(held_out(whole), rel=2e-2)
    assert result.preference["loss"] == pytest.approx(whole.preference["loss"], rel=2e-2)
    assert result.tokens == whole.tokens

    monkeypatch.delenv(VARIABLE)
    assert train(job, seen.append, say=said.append).parts == 2, "what was learnt of the machine is kept"
    assert len(said) == 1


@pytest.mark.slow
@pytest.mark.parametrize("job", ["packed"], indirect=True)
def test_where_one_row_is_too_much_it_says_so(job: TrainingJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "training.step=starve")
    said: list[str] = []
    small = replace(job, settings=job.settings.model_copy(update={"batch_size": 2}))
    with pytest.raises(TrainingFailed, match=r"even with one row at a time\. Lower NIGHTSCHOOL_TRAINING__MAX_LENGTH"):
        train(small, lambda _: None, say=said.append)
    assert len(said) == 1


def test_parts_divide_a_step_evenly() -> None:
    assert [rows_at_once(8, parts) for parts in (1, 2, 4, 8)] == [8, 4, 2, 1]
    assert [rows_at_once(6, parts) for parts in (1, 2, 4)] == [6, 3, 1]
    assert [rows_at_once(5, 2), rows_at_once(1, 4)] == [1, 1]


def test_parts_double_until_each_is_one_row(tmp_path: Path) -> None:
    assert parts_of_step(tmp_path) == 1
    assert [divide(tmp_path, 8) for _ in range(4)] == [2, 4, 8, None]
    assert parts_of_step(tmp_path) == 8


def test_a_kill_counts_as_hunger_only_when_the_kernel_killed_for_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = tmp_path / "vmstat"
    counters.write_text("nr_free_pages 7\noom_kill 3\n")
    monkeypatch.setattr(memory, "KERNEL_COUNTERS", counters)
    watch = Watch()
    assert watch.ran_out(OUT_OF_MEMORY)
    assert not watch.ran_out(-signal.SIGKILL), "somebody else's kill"
    counters.write_text("nr_free_pages 7\noom_kill 4\n")
    assert watch.ran_out(-signal.SIGKILL)
    assert not watch.ran_out(1)
    monkeypatch.setattr(memory, "KERNEL_COUNTERS", tmp_path / "not-linux")
    assert not Watch().ran_out(-signal.SIGKILL)
