"""The command that starts vLLM: what it must hold on a CPU and on a GPU, and what it must not."""

from pathlib import Path

import pytest

from serving.access import api_key
from serving.base_model import BaseModel
from serving.launch import command, prepare_socket
from store.errors import NightschoolError
from store.settings import ServingSettings, Settings


@pytest.fixture
def base(tmp_path: Path) -> BaseModel:
    (tmp_path / "chat_template.jinja").write_text("{{ messages }}")
    return BaseModel(path=tmp_path, sha256="0" * 64, name="small")


def flag(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


def test_on_a_cpu(settings: Settings, base: BaseModel) -> None:
    arguments, environment = command(settings, base, gpu=False)
    assert flag(arguments, "--uds") == str(settings.socket_path)
    assert flag(arguments, "--chat-template") == str(base.path / "chat_template.jinja")
    assert flag(arguments, "--distributed-executor-backend") == "uni"
    assert "--api-key" not in arguments
    assert api_key(settings) not in " ".join(arguments)
    assert environment["VLLM_API_KEY"] == api_key(settings)
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert int(environment["OMP_NUM_THREADS"]) >= 1


def test_on_a_gpu(settings: Settings, base: BaseModel) -> None:
    arguments, environment = command(settings, base, gpu=True)
    assert flag(arguments, "--gpu-memory-utilization") == "0.85"
    assert "--distributed-executor-backend" not in arguments
    assert "VLLM_CPU_OMP_THREADS_BIND" not in environment
    assert "--enable-sleep-mode" not in arguments
    assert "VLLM_SERVER_DEV_MODE" not in environment


def test_on_a_gpu_that_the_night_trains_on_too(settings: Settings, base: BaseModel) -> None:
    wanted = settings.model_copy(update={"serving": ServingSettings(while_training="sleep")})
    arguments, environment = command(wanted, base, gpu=True)
    assert "--enable-sleep-mode" in arguments
    assert environment["VLLM_SERVER_DEV_MODE"] == "1"
    assert "--enable-sleep-mode" not in command(wanted, base, gpu=False)[0]


@pytest.mark.parametrize(("rank", "served"), [(1, "1"), (4, "8"), (16, "16"), (17, "32")])
def test_the_smallest_rank_that_fits(rank: int, served: str, settings: Settings, base: BaseModel) -> None:
    wanted = settings.model_copy(update={"serving": ServingSettings(max_lora_rank=rank)})
    arguments, _ = command(wanted, base, gpu=False)
    assert flag(arguments, "--max-lora-rank") == served


def test_a_rank_that_nothing_serves(settings: Settings, base: BaseModel) -> None:
    wanted = settings.model_copy(update={"serving": ServingSettings(max_lora_rank=1000)})
    with pytest.raises(NightschoolError, match="rank 512 at most"):
        command(wanted, base, gpu=False)


def test_a_dead_servers_socket_is_cleared_away(tmp_path: Path) -> None:
    path = tmp_path / "run" / "vllm.sock"
    path.parent.mkdir()
    path.touch()
    prepare_socket(path)
    assert not path.exists()
    assert path.parent.stat().st_mode & 0o777 == 0o700
