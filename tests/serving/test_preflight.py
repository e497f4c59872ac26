"""Adapters that vLLM would have served, or died of, are refused in words before it sees them."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from serving.base_model import BaseModel
from serving.preflight import check
from store.artifacts import folder_manifest, manifest_sha256
from store.errors import AdapterRejected
from store.settings import Settings
from store.tables import Adapter
from tests.fixtures_serving import make_adapter

Q_A = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


@pytest.fixture
def adapter(base_model: BaseModel, settings: Settings) -> Adapter:
    return make_adapter(base_model, settings.artifacts / "adapters" / "v1-abc")


def rewrite(adapter: Adapter, change: Callable[[Path], None], *, register_again: bool = True) -> None:
    """Change an adapter's folder, as a broken trainer would; its sha256 is then that of the changed files."""
    folder = Path(adapter.path)
    folder.chmod(0o755)
    for file in folder.iterdir():
        file.chmod(0o644)
    change(folder)
    if register_again:
        adapter.sha256 = manifest_sha256(folder_manifest(folder))


def with_config(adapter: Adapter, **values: Any) -> None:
    def change(folder: Path) -> None:
        config = json.loads((folder / CONFIG).read_text())
        (folder / CONFIG).write_text(json.dumps(config | values))

    rewrite(adapter, change)


def with_tensors(adapter: Adapter, change: Callable[[dict[str, Any]], Mapping[str, Any] | None]) -> None:
    def write(folder: Path) -> None:
        tensors = load_file(folder / WEIGHTS)
        save_file(dict(change(tensors) or tensors), folder / WEIGHTS)

    rewrite(adapter, write)


def refusal(adapter: Adapter, base: BaseModel, settings: Settings) -> str:
    with pytest.raises(AdapterRejected) as caught:
        check(adapter, base, settings)
    sentence = str(caught.value)
    assert sentence.startswith(f"Version {adapter.name!r} cannot be served: ")
    assert sentence.endswith(".")
    return sentence


def test_a_good_adapter_passes(adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    assert check(adapter, base_model, settings) == Path(adapter.path)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_passes(dtype: str, adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    import torch
    from safetensors.torch import load_file as load_torch
    from safetensors.torch import save_file as save_torch

    def change(folder: Path) -> None:
        tensors = load_torch(folder / WEIGHTS)
        save_torch({name: value.to(getattr(torch, dtype)) for name, value in tensors.items()}, folder / WEIGHTS)

    rewrite(adapter, change)
    check(adapter, base_model, settings)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(value: float, adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    def change(tensors: dict[str, Any]) -> None:
        tensors[Q_A][3, 5] = value

    with_tensors(adapter, change)
    assert "holds values that are not finite" in refusal(adapter, base_model, settings)


def test_values_beyond_reason(adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    def change(tensors: dict[str, Any]) -> None:
        tensors[Q_A][0, 0] = 1e9

    with_tensors(adapter, change)
    assert "values beyond" in refusal(adapter, base_model, settings)


def test_rank_of_the_configuration_is_not_that_of_the_tensors(
    adapter: Adapter, base_model: BaseModel, settings: Settings
) -> None:
    with_config(adapter, r=8)
    adapter.rank = 8
    assert "has the shape" in refusal(adapter, base_model, settings)


def test_rank_beyond_what_is_served(base_model: BaseModel, settings: Settings) -> None:
    large = make_adapter(base_model, settings.artifacts / "adapters" / "v1-abc", rank=32)
    assert "ranks from 1 to 16" in refusal(large, base_model, settings)


def test_rank_other_than_registered(adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    adapter.rank = 8
    assert "registered with 8" in refusal(adapter, base_model, settings)


def test_another_base(adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    adapter.base_sha256 = "0" * 64
    assert "trained on another base model" in refusal(adapter, base_model, settings)


def test_shapes_of_a_smaller_base(adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    with_tensors(adapter, lambda tensors: tensors | {Q_A: np.ascontiguousarray(tensors[Q_A][:, :64])})
    assert "has the shape [16, 64]" in refusal(adapter, base_model, settings)


def test_a_missing_tensor(adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    with_tensors(adapter, lambda tensors: {name: value for name, value in tensors.items() if name != Q_A})
    assert f"the tensor {Q_A} is missing" in refusal(adapter, base_model, settings)


def test_a_layer_that_does_not_exist(adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    with_tensors(adapter, lambda tensors: tensors | {Q_A.replace(".0.", ".99."): tensors[Q_A]})
    assert "does not fit the base model" in refusal(adapter, base_model, settings)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"use_dora": True}, "use_dora"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"rank_pattern": {"q_proj": 4}}, "rank_pattern"),
        ({"bias": "all"}, "biases"),
        ({"init_lora_weights": "pissa"}, "own weights"),
        ({"peft_type": "IA3"}, "does not describe a LoRA"),
        ({"lora_alpha": float("nan")}, "lora_alpha"),
        ({"lora_alpha": 0}, "lora_alpha"),
        ({"r": "16"}, "rank is '16'"),
        ({"target_modules": "all-linear"}, "not a list"),
        ({"target_modules": ["embed_tokens"]}, "not a linear layer"),
        ({"target_modules": ["input_layernorm"]}, "not a linear layer"),
    ],
)
def test_configurations_that_cannot_be_served(
    values: dict[str, Any], words: str, adapter: Adapter, base_model: BaseModel, settings: Settings
) -> None:
    with_config(adapter, **values)
    assert words in refusal(adapter, base_model, settings)


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG])
def test_a_missing_file(name: str, adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    rewrite(adapter, lambda folder: (folder / name).unlink())
    assert f"the file {name} is missing" in refusal(adapter, base_model, settings)


@pytest.mark.parametrize("name", ["adapter_model.bin", "training_args.bin", "tokenizer.json"])
def test_files_that_do_not_belong(name: str, adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    rewrite(adapter, lambda folder: (folder / name).write_bytes(b"\x80\x04."))
    assert f"{name} does not belong" in refusal(adapter, base_model, settings)


def test_a_link_to_a_file(adapter: Adapter, base_model: BaseModel, settings: Settings, tmp_path: Path) -> None:
    def change(folder: Path) -> None:
        shutil.move(folder / WEIGHTS, tmp_path / "elsewhere")
        (folder / WEIGHTS).symlink_to(tmp_path / "elsewhere")

    rewrite(adapter, change)
    assert "not a plain file" in refusal(adapter, base_model, settings)


def test_a_link_to_the_folder(adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    link = settings.artifacts / "adapters" / "v1-link"
    link.symlink_to(adapter.path)
    adapter.path = str(link)
    assert "not one of ours" in refusal(adapter, base_model, settings)


def test_a_folder_outside(base_model: BaseModel, settings: Settings, tmp_path: Path) -> None:
    outside = make_adapter(base_model, tmp_path / "v1-outside")
    assert "not one of ours" in refusal(outside, base_model, settings)
    outside.path = str(settings.artifacts / "adapters" / ".." / ".." / ".." / "v1-outside")
    assert "not one of ours" in refusal(outside, base_model, settings)


def test_a_folder_that_is_gone(adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    adapter.path += "-gone"
    assert "is missing" in refusal(adapter, base_model, settings)


@pytest.mark.parametrize("name", ["../v1", "v1/../v2", "base", "v0", "V1", "v1\n", "v", "v1234567890", ""])
def test_names_that_are_not_ours(name: str, adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    adapter.name = name
    assert "not of the form" in refusal(adapter, base_model, settings)


def test_every_flipped_bit_is_noticed(adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    random = np.random.default_rng(7)
    rewrite(adapter, lambda folder: None)
    file = Path(adapter.path) / WEIGHTS
    sound = file.read_bytes()
    for _ in range(20):
        position, bit = int(random.integers(len(sound))), int(random.integers(8))
        with file.open("r+b") as damaged:
            damaged.seek(position)
            damaged.write(bytes([sound[position] ^ (1 << bit)]))
        assert "sha256 differs" in refusal(adapter, base_model, settings), f"byte {position}, bit {bit}"
        file.write_bytes(sound)
    check(adapter, base_model, settings)


@pytest.mark.soak
def test_a_thousand_flips_and_cuts_are_all_refused(adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    random = np.random.default_rng(11)
    rewrite(adapter, lambda folder: None)
    refused = 0
    for number in range(1000):
        file = Path(adapter.path) / (WEIGHTS, CONFIG)[int(random.integers(2))]
        sound = file.read_bytes()
        position = int(random.integers(len(sound)))
        flipped = sound[:position] + bytes([sound[position] ^ (1 << int(random.integers(8)))]) + sound[position + 1 :]
        file.write_bytes(flipped if number % 2 else sound[:position])
        refused += "sha256 differs" in refusal(adapter, base_model, settings)
        file.write_bytes(sound)
    print(f"{refused} of 1000 damaged folders refused (seed 11)")
    assert refused == 1000
    check(adapter, base_model, settings)


def test_a_torn_file_that_was_registered_so(adapter: Adapter, base_model: BaseModel, settings: Settings) -> None:
    def tear(folder: Path) -> None:
        (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:1000])

    rewrite(adapter, tear)
    assert "is damaged" in refusal(adapter, base_model, settings)
