"""The Trainer's own trackers are told what the training told us; what is missing is said in words."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from store.settings import TrainingSettings, load_settings
from tests.training.conftest import TALK, conversation, write_dataset
from trainer.train import TrainingFailed, TrainingJob, train

# In the place of the tracker's package, which writes to a file what it is given.
SUMMARY_WRITER = """
import json, pathlib

class SummaryWriter:
    def __init__(self, log_dir):
        self.file = pathlib.Path(log_dir) / "told.jsonl"
        self.file.parent.mkdir(parents=True, exist_ok=True)

    def add_text(self, name, text, step=0):
        self._add(name, text, step)

    def add_scalar(self, name, value, step):
        self._add(name, value, step)

    def _add(self, *given):
        with self.file.open("a") as file:
            file.write(json.dumps(given) + "\\n")

    def flush(self):
        pass

    close = flush
"""


@pytest.fixture
def job(base_model: Path, tmp_path: Path) -> TrainingJob:
    rows = [conversation(*pair) for pair in TALK[:4]]
    return TrainingJob(
        folder=tmp_path / "run",
        base_model=base_model,
        base_sha256="ab" * 32,
        dataset=write_dataset(tmp_path / "rows.parquet", rows),
        settings=TrainingSettings(rank=2, epochs=2, batch_size=4, threads=1, report_to=["tensorboard"]),
        name="night 7 on v3",
    )


@pytest.mark.slow
def test_a_tracker_is_told_each_step_and_no_text(
    job: TrainingJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "tensorboardX.py").write_text(SUMMARY_WRITER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "logs"))
    result = train(job, lambda _: None)
    written = (tmp_path / "logs" / "told.jsonl").read_text()
    told = [json.loads(line) for line in written.splitlines()]
    losses = [(step, value) for name, value, step in told if name == "train/loss"]
    assert losses == [(line["step"], line["loss"]) for line in result.metrics if "loss" in line]
    assert len(losses) == 2
    assert not any(text in written for pair in TALK for text in pair), "what people wrote stays here"


@pytest.mark.slow
def test_a_tracker_that_is_unknown_or_not_installed_is_told_in_words(job: TrainingJob) -> None:
    for name, words in (("abacus", "abacus is not supported"), ("dvclive", "requires dvclive to be installed")):
        named = replace(job, settings=job.settings.model_copy(update={"report_to": [name]}))
        with pytest.raises(TrainingFailed, match=rf"REPORT_TO cannot be followed: .*{words}"):
            train(named, lambda _: None)


def test_the_environment_names_trackers_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSCHOOL_TRAINING__REPORT_TO", "mlflow, wandb")
    assert load_settings().training.report_to == ["mlflow", "wandb"]
