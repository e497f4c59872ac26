"""An adapter is checked before vLLM sees its path: vLLM itself loads NaN weights, wrong ranks and foreign bases.

Checked are the folder (weights, configuration, model card and manifest, no links, the registered sha256), the
configuration (plain LoRA on linear layers, known rank) and the tensors (exactly the names and shapes that the base
model's weights imply, all finite). File formats: PEFT's "Checkpoint format" and safetensors' README.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize, safe_open

from serving.base_model import BaseModel
from store.artifacts import MANIFEST, folder_manifest, manifest_sha256
from store.errors import AdapterRejected, ModelUnavailable
from store.settings import Settings
from store.tables import Adapter

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"
REQUIRED_FILES = {CONFIG_FILE, WEIGHTS_FILE}
MODEL_CARD = "README.md"
ALLOWED_FILES = REQUIRED_FILES | {MANIFEST, MODEL_CARD}

NAME = re.compile(r"v[1-9][0-9]{0,8}")
PEFT_PREFIX = "base_model.model."
DECODER_LINEAR = re.compile(r"(?P<module>.*\blayers\.\d+\..*)\.weight")

LARGEST_WEIGHT = 1e4
LARGEST_SCALE = 1e3

FORBIDDEN_FEATURES = (
    "use_dora",
    "use_rslora",
    "use_qalora",
    "use_bdlora",
    "lora_bias",
    "modules_to_save",
    "layer_replication",
    "layers_to_transform",
    "rank_pattern",
    "alpha_pattern",
    "exclude_modules",
    "target_parameters",
    "trainable_token_indices",
    "alora_invocation_tokens",
    "fan_in_fan_out",
)

EXPONENT_BITS: dict[str, tuple[type[np.unsignedinteger[Any]], int]] = {
    "BF16": (np.uint16, 0x7F80),
    "F16": (np.uint16, 0x7C00),
    "F32": (np.uint32, 0x7F800000),
}


@dataclass(frozen=True)
class _Tensor:
    shape: tuple[int, ...]
    dtype: str
    data: bytes


def check(adapter: Adapter, base: BaseModel, settings: Settings) -> Path:
    """The folder of an adapter that is fit to be served on this base model.

    Raises:
        AdapterRejected: it is not; the message names the adapter, the place and the reason.
        ModelUnavailable: its files cannot be read at present.
    """
    try:
        if not NAME.fullmatch(adapter.name):
            raise AdapterRejected("its name is not of the form v1, v2, …")
        if adapter.base_sha256 != base.sha256:
            raise AdapterRejected(
                f"it was trained on another base model ({adapter.base_model}); the one that is served is {base.name}"
            )
        folder = _checked_folder(Path(adapter.path), settings.artifacts, adapter.sha256)
        rank, targets = _checked_config(folder / CONFIG_FILE, settings.serving.max_lora_rank)
        if rank != adapter.rank:
            raise AdapterRejected(f"its configuration says rank {rank}, but it was registered with {adapter.rank}")
        _check_tensors(folder / WEIGHTS_FILE, _expected_shapes(base.path, rank, targets))
    except AdapterRejected as reason:
        raise AdapterRejected(f"Version {adapter.name!r} cannot be served: {reason}.") from reason
    except OSError as error:
        # A disk that is away for a moment is no verdict on the adapter.
        raise ModelUnavailable(f"Version {adapter.name!r} cannot be read at present: {error}.") from error
    return folder


def _checked_folder(folder: Path, artifacts: Path, sha256: str) -> Path:
    if not folder.is_absolute() or folder.is_symlink() or not folder.resolve().is_relative_to(artifacts.resolve()):
        raise AdapterRejected(f"its folder {folder} is not one of ours below {artifacts}")
    if not folder.is_dir():
        raise AdapterRejected(f"its folder {folder} is missing")
    entries = list(folder.iterdir())
    for entry in entries:
        if entry.is_symlink() or not entry.is_file():
            raise AdapterRejected(f"{entry.name} in its folder is not a plain file")
        if entry.name not in ALLOWED_FILES:
            raise AdapterRejected(f"{entry.name} does not belong in an adapter's folder; only safetensors are loaded")
    if missing := REQUIRED_FILES - {entry.name for entry in entries}:
        raise AdapterRejected(f"the file {min(missing)} is missing")
    if manifest_sha256(folder_manifest(folder)) != sha256:
        raise AdapterRejected("its files are not those that were registered (the sha256 differs)")
    return folder


def _checked_config(file: Path, max_rank: int) -> tuple[int, Sequence[str]]:
    """The rank and the target modules of a plain LoRA configuration."""
    try:
        config: Any = json.loads(file.read_text())
    except ValueError as error:
        raise AdapterRejected(f"{file.name} is not valid JSON") from error
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        raise AdapterRejected(f"{file.name} does not describe a LoRA adapter")
    for feature in FORBIDDEN_FEATURES:
        if config.get(feature):
            raise AdapterRejected(f"it uses {feature}, which cannot be served")
    if config.get("bias", "none") != "none" or isinstance(config.get("init_lora_weights"), str):
        raise AdapterRejected("it changes the base model's own weights or biases, which cannot be served")
    rank, alpha, targets = config.get("r"), config.get("lora_alpha"), config.get("target_modules")
    if not isinstance(rank, int) or isinstance(rank, bool) or not 1 <= rank <= max_rank:
        raise AdapterRejected(f"its rank is {rank!r}; served are ranks from 1 to {max_rank} (serving.max_lora_rank)")
    if not isinstance(alpha, int | float) or not 0 < alpha / rank <= LARGEST_SCALE:
        raise AdapterRejected(f"its lora_alpha is {alpha!r}")
    if not isinstance(targets, list) or not targets or not all(isinstance(target, str) for target in targets):
        raise AdapterRejected("its target_modules are not a list of module names")
    return rank, targets


@lru_cache(maxsize=4)
def _linear_shapes(base: Path) -> Mapping[str, tuple[int, int]]:
    """Module name to (outputs, inputs) for each linear layer inside the base model's decoder layers."""
    shapes: dict[str, tuple[int, int]] = {}
    for file in sorted(base.glob("*.safetensors")):
        with safe_open(file, framework="numpy") as weights:
            for name in weights.keys():  # noqa: SIM118 - not a dict
                shape = weights.get_slice(name).get_shape()
                if (found := DECODER_LINEAR.fullmatch(name)) and len(shape) == 2:
                    shapes[found["module"]] = (shape[0], shape[1])
    return shapes


def _expected_shapes(base: Path, rank: int, targets: Sequence[str]) -> dict[str, tuple[int, int]]:
    expected: dict[str, tuple[int, int]] = {}
    used: set[str] = set()
    for module, (outputs, inputs) in _linear_shapes(base).items():
        matching = [target for target in targets if module == target or module.endswith(f".{target}")]
        if matching:
            used.update(matching)
            expected[f"{PEFT_PREFIX}{module}.lora_A.weight"] = (rank, inputs)
            expected[f"{PEFT_PREFIX}{module}.lora_B.weight"] = (outputs, rank)
    if unknown := set(targets) - used:
        raise AdapterRejected(f"its target module {min(unknown)!r} is not a linear layer of the base model")
    return expected


def _check_tensors(file: Path, expected: Mapping[str, tuple[int, int]]) -> None:
    try:
        found = {
            name: _Tensor(tuple(info["shape"]), str(info["dtype"]), info["data"])
            for name, info in deserialize(file.read_bytes())  # type: ignore[no-untyped-call]
        }
    except SafetensorError as error:
        raise AdapterRejected(f"{file.name} is damaged") from error
    if missing := expected.keys() - found.keys():
        raise AdapterRejected(f"the tensor {min(missing)} is missing")
    if extra := found.keys() - expected.keys():
        raise AdapterRejected(f"the tensor {min(extra)} does not fit the base model")
    for name, tensor in found.items():
        if tensor.shape != expected[name]:
            raise AdapterRejected(
                f"the tensor {name} has the shape {list(tensor.shape)}; "
                f"base model and rank imply {list(expected[name])}"
            )
        _check_values(name, tensor)


def _check_values(name: str, tensor: _Tensor) -> None:
    if tensor.dtype not in EXPONENT_BITS:
        raise AdapterRejected(f"the tensor {name} is of type {tensor.dtype}; use F32, BF16 or F16")
    kind, mask = EXPONENT_BITS[tensor.dtype]
    bits = np.frombuffer(tensor.data, dtype=kind)
    # An exponent of all ones is an infinity or not a number, in each of the three formats.
    if bool(((bits & mask) == mask).any()):
        raise AdapterRejected(f"the tensor {name} holds values that are not finite")
    if float(np.abs(_as_float32(bits, tensor.dtype)).max(initial=0.0)) > LARGEST_WEIGHT:
        raise AdapterRejected(f"the tensor {name} holds values beyond {LARGEST_WEIGHT:g}")


def _as_float32(bits: Any, dtype: str) -> Any:
    if dtype == "BF16":
        return (bits.astype(np.uint32) << 16).view(np.float32)
    return bits.view(np.float16 if dtype == "F16" else np.float32)
