"""Starting the workspace as a program: what it announces, and how it refuses to start."""

import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from deploy.workspace.errors import BadConfiguration
from deploy.workspace.manifest import load_manifest
from deploy.workspace.seed import load_seed
from tests.fixtures_workspace import ANA, SUPPORT, Person

COMMAND = [sys.executable, "-m", "deploy.workspace"]


async def test_it_announces_itself_and_stops_when_asked(tmp_path: Path) -> None:
    process = subprocess.Popen([*COMMAND, "--folder", str(tmp_path / "w")])
    announcement = tmp_path / "w" / "workspace.json"
    try:
        deadline = time.monotonic() + 20
        while not announcement.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert stat.S_IMODE(announcement.stat().st_mode) == 0o600
        said = json.loads(announcement.read_text())
        assert set(said) == {"url", "api_url", "page_url", "bot_token", "app_token", "signing_secret"}
        async with Person(said["url"], ANA) as ana:
            await ana.post(SUPPORT, "hello")
        headers = {"Authorization": f"Bearer {said['bot_token']}"}
        async with aiohttp.ClientSession() as session:
            response = await session.post(f"{said['api_url']}auth.test", headers=headers)
            assert (await response.json())["bot_id"] == "B0NIGHT0001"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert not announcement.exists(), "nobody is led to a workspace that is closed"


@pytest.mark.parametrize(
    ("load", "content", "words"),
    [
        (load_manifest, "features: 5", "must be a mapping"),
        (load_manifest, f"features: {{agent_view: {{agent_description: {'x' * 301}}}}}", "longer than 300"),
        (load_manifest, "a: [", "cannot be read"),
        (load_seed, "people: []", "is not a seed"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, load: Callable[[Path], object], content: str, words: str) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(content)
    with pytest.raises(BadConfiguration, match=words):
        load(file)


def test_a_start_that_fails_says_why_without_a_traceback(tmp_path: Path) -> None:
    command = [*COMMAND, "--folder", str(tmp_path / "w"), "--seed", str(tmp_path / "none.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "none.yaml cannot be read" in done.stderr
    assert "Traceback" not in done.stderr
