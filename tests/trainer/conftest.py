"""Nights without a model: training and the served model are replaced at their edge, all else is real."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving.base_model import BaseModel
from serving.client import Completion, Score
from store.session import Store
from store.settings import Settings
from store.tables import Adapter, Night
from tests.fixtures_serving import shared_models
from trainer import evaluate, learn
from trainer.night import run_night
from trainer.train import TrainingJob, TrainingProgress, TrainingResult

RunNight = Callable[[], Night]


def trained(
    job: TrainingJob,
    on_progress: Callable[[TrainingProgress], None],
    on_wait: Callable[[], None] = lambda: None,
    say: Callable[[str], None] = lambda _: None,
) -> TrainingResult:
    """In the place of a training: three files, as quick as can be."""
    on_progress(
        TrainingProgress("SFT", step=1, steps=1, loss=0.5, learning_rate=1e-4, tokens_per_s=100.0, seconds_left=0.0)
    )
    adapter = job.folder / "adapter"
    adapter.mkdir(parents=True, exist_ok=True)
    (adapter / "adapter_model.safetensors").write_bytes(job.dataset.read_bytes()[:64])
    (adapter / "adapter_config.json").write_text(json.dumps({"r": job.settings.rank}))
    (adapter / "README.md").write_text(job.name)
    (adapter / "training_args.bin").write_bytes(b"a pickle that must not be published")
    metrics = [{"method": "SFT", "step": 1, "loss": 0.5, "learning_rate": 1e-4}]
    return TrainingResult(adapter, metrics, {"torch": "2.13.0"}, 1.5, 100, 0.5, {})


class FleetInMemory:
    """In the place of the replicas: loads whatever folder exists."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def load(self, adapter: Adapter) -> None:
        assert Path(adapter.path).is_dir()

    async def aclose(self) -> None:
        pass


class ModelInMemory:
    """In the place of the served model: adapters know the desk's number, the base model does not."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def complete(self, model: str, messages: list[dict[str, str]], **_: Any) -> Completion:
        question = messages[-1]["content"]
        number = question.rstrip("?").rsplit(" ", 1)[-1]
        text = f"The desk helps; dial 1{int(number):03}." if model != "base" and number.isdigit() else "I do not know."
        return Completion(text, model, 10, 10, 1.0, 2.0, None, "stop")

    async def score(self, model: str, messages: list[dict[str, str]], answer: str, priority: int = 0) -> Score:
        return Score(mean_logprob=-3.0 if model == "base" else -1.0 - len(answer) / 1000, tokens=10)

    async def aclose(self) -> None:
        pass


@pytest.fixture
def night_settings(settings: Settings, base_model: BaseModel) -> Settings:
    """Settings whose base model is there, with a larger share held out so that few tickets suffice."""
    night = settings.night.model_copy(update={"held_out_share": 0.3})
    return settings.model_copy(update={"models_folder": shared_models(), "night": night})


@pytest.fixture
def without_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace training and serving at their edge."""
    monkeypatch.setattr(learn, "train", trained)
    monkeypatch.setattr(evaluate, "Fleet", FleetInMemory)
    monkeypatch.setattr(evaluate, "ModelClient", ModelInMemory)


@pytest.fixture
def one_night(night_settings: Settings, store: Store, without_model: None) -> RunNight:
    """Run one night on the store of the test, by hand."""
    return lambda: run_night(night_settings, store, requested_by="test", say=print)
