"""Real serving for tests: the base model, one vLLM for the whole session, and adapters made in a moment."""

import asyncio
import contextlib
import json
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np
import pytest
from pydantic import SecretStr
from safetensors import safe_open
from safetensors.numpy import save_file

from serving.access import api_key, connect
from serving.base_model import BaseModel, ensure_base_model
from serving.launch import command, prepare_socket
from store.artifacts import folder_manifest, manifest_sha256, new_folder
from store.settings import ServingSettings, Settings
from store.tables import Adapter

REPOSITORY = Path(__file__).parents[1]
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
START_TIMEOUT_S = 240


def shared_models() -> Path:
    """Folder of base models that all test runs share, since making the small one takes half a minute."""
    return Settings().models_folder or REPOSITORY / ".nightschool" / "models"


@pytest.fixture(scope="session")
def base_model() -> BaseModel:
    """The small base model, fetched and converted by the first test run on a machine."""
    return ensure_base_model(Settings(models_folder=shared_models()))


@dataclass
class VllmServer:
    """A running vLLM with a home of its own."""

    settings: Settings
    base: BaseModel
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        return self.process.pid

    @property
    def url(self) -> str:
        """Its address, as `serving.urls` wants it."""
        return self.settings.replica_urls[0]

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.settings.logs / "vllm.log"

    def settings_for(self, settings: Settings) -> Settings:
        """The settings of a test, made to use this server and its base model."""
        serving = settings.serving.model_copy(update={"urls": [self.url], "api_key": SecretStr(api_key(self.settings))})
        return settings.model_copy(update={"serving": serving, "models_folder": shared_models()})

    def command(self) -> tuple[list[str], dict[str, str]]:
        """The arguments and the environment that start it."""
        return command(self.settings, self.base)

    def start(self) -> None:
        """Start and wait until it answers."""
        prepare_socket(self.settings.socket_path)
        arguments, environment = self.command()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(arguments, env=environment, stdout=log, stderr=log, cwd=self.settings.home)
        asyncio.run(self._wait_healthy())

    def stop(self, *, how: int = signal.SIGTERM) -> None:
        """End the process and wait for it."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(how)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def restart(self) -> None:
        """Kill it (-9) and start it again at the same address; every adapter is gone then."""
        self.stop(how=signal.SIGKILL)
        self.start()

    async def unload_everything(self) -> None:
        """Take away what a test loaded, so that the next one finds the bare base model."""
        async with connect(self.url, api_key(self.settings)) as http:
            for model in (await http.get("/v1/models")).json()["data"]:
                if model.get("parent"):
                    await http.post("/v1/unload_lora_adapter", json={"lora_name": model["id"]})

    async def _wait_healthy(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        async with connect(self.url, "") as http:
            while time.monotonic() < deadline:
                if self.process.poll() is not None:
                    break
                with contextlib.suppress(httpx2.HTTPError):
                    if (await http.get("/health", timeout=5)).status_code == httpx2.codes.OK:
                        return
                await asyncio.sleep(0.2)
        self.stop(how=signal.SIGKILL)
        raise AssertionError(f"vLLM did not start; its log ends:\n{self.log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def _running_vllm(base_model: BaseModel) -> Iterator[VllmServer]:
    # A short path: a Unix socket's must fit into 108 bytes.
    home = Path(tempfile.mkdtemp(prefix="nightschool-test-"))
    server = VllmServer(Settings(home=home, models_folder=shared_models(), serving=ServingSettings()), base_model)
    server.start()
    yield server
    server.stop(how=signal.SIGKILL)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def vllm_server(_running_vllm: VllmServer) -> VllmServer:
    """The session's vLLM, running, without adapters. Tests load, kill and restart as they like."""
    if _running_vllm.process.poll() is not None:
        _running_vllm.start()
    asyncio.run(_running_vllm.unload_everything())
    return _running_vllm


def make_adapter(base: BaseModel, folder: Path, seed: int = 0, scale: float = 0.02, rank: int = 16) -> Adapter:
    """A valid adapter of random weights in PEFT's format, and the row that would register it.

    `folder` must lie below `settings.artifacts` and be named `vN-…`. A larger `scale` changes answers more.
    """
    version = int(folder.name.split("-")[0].removeprefix("v"))
    random = np.random.default_rng(seed)
    tensors = {}
    with safe_open(base.path / "model.safetensors", framework="numpy") as weights:
        for name in sorted(weights.keys()):
            module = name.removesuffix(".weight")
            if module.rsplit(".", 1)[-1] in TARGETS:
                outputs, inputs = weights.get_slice(name).get_shape()
                prefix = f"base_model.model.{module}"
                tensors[f"{prefix}.lora_A.weight"] = random.normal(0, inputs**-0.5, (rank, inputs)).astype("float32")
                tensors[f"{prefix}.lora_B.weight"] = random.normal(0, scale, (outputs, rank)).astype("float32")
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": str(base.path),
        "r": rank,
        "lora_alpha": 2 * rank,
        "lora_dropout": 0.0,
        "target_modules": TARGETS,
        "bias": "none",
    }
    with new_folder(folder) as unfinished:
        (unfinished / "adapter_config.json").write_text(json.dumps(config))
        save_file(tensors, unfinished / "adapter_model.safetensors")
    return Adapter(
        version=version,
        name=f"v{version}",
        path=str(folder),
        sha256=manifest_sha256(folder_manifest(folder)),
        base_model=base.name,
        base_sha256=base.sha256,
        rank=rank,
    )
