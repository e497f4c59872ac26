"""Slack's own JavaScript clients, from npm and unmodified, against the workspace."""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.workspace.server import Running
from tests.fixtures_workspace import ANA, SUPPORT, Person

Json = dict[str, Any]
HERE = Path(__file__).parent / "js"
INSTALLED = HERE / "node_modules" / ".package-lock.json"


@pytest.fixture(scope="module")
def node() -> str:
    """Node with the clients installed; fails, and does not skip, when the installation fails."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js 20 or newer with npm is not installed")
    with (HERE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not INSTALLED.exists() or INSTALLED.stat().st_mtime < Path(lock.name).stat().st_mtime:
            done = subprocess.run([npm, "ci"], cwd=HERE, capture_output=True, text=True, timeout=240)
            assert done.returncode == 0, f"npm ci failed:\n{done.stdout}\n{done.stderr}"
            INSTALLED.touch()
    return node


class Script:
    """A running script; what it prints are JSON lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def next(self, key: str, seconds: float = 20.0) -> Json:
        """The next line that has a key."""
        assert self.process.stdout is not None
        async with asyncio.timeout(seconds):
            async for line in self.process.stdout:
                with contextlib.suppress(ValueError):
                    said = json.loads(line)
                    if key in said:
                        found: Json = said
                        return found
        raise AssertionError(f"the script ended without saying {key}")


@contextlib.asynccontextmanager
async def running_script(node: str, name: str, workspace: Running) -> AsyncIterator[Script]:
    """Run one of the scripts beside this test against a workspace."""
    environment = {
        "PATH": os.environ["PATH"],
        "SLACK_API_URL": workspace.api_url,
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_APP_TOKEN": workspace.app_token,
    }
    process = await asyncio.create_subprocess_exec(
        node, name, cwd=HERE, env=environment, stdout=asyncio.subprocess.PIPE, stderr=None
    )
    try:
        yield Script(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def test_bolt_for_javascript(node: str, workspace: Running) -> None:
    async with running_script(node, "bolt_app.mjs", workspace) as script, Person(workspace, ANA) as ana:
        await script.next("ready")
        await ana.post(SUPPORT, "@nightschool hello")
        assert (await script.next("heard"))["text"] == "<@U0NIGHT0001> hello"
        answer = await ana.wait_for_message(lambda message: message.get("streaming_state") == "completed")
        assert answer["text"] == "From **Node**"
        assert (await ana.click(answer, "done"))["ok"]
        await ana.wait_for_message(lambda message: message["text"] == "Updated by Node")
        view = (await ana.wait_for(lambda event: event["type"] == "view_opened"))["view"]
        assert (await ana.submit(view, {"text": "no"}))["errors"] == {"reason": "Too short"}
        assert (await ana.submit(view, {"text": "because"}))["closed"]
        await ana.do("command", channel=SUPPORT, command="/ask", text="me")
        await ana.wait_for_message(lambda message: message["text"] == "Node heard me")


async def test_socket_mode_and_web_api_for_javascript(node: str, workspace: Running) -> None:
    async with running_script(node, "plain_clients.mjs", workspace) as script, Person(workspace, ANA) as ana:
        assert (await script.next("ready"))["bot"] == "B0NIGHT0001"
        root = await ana.post(SUPPORT, "hello")
        said = await script.next("texts")
        assert said == {"texts": ["hello", "updated"], "refused": "channel_not_found"}
        assert (await ana.messages(SUPPORT, root))[0]["reactions"][0]["name"] == "eyes"
        await script.next("stillConnected")
        assert workspace.workspace.sockets.connected
        await ana.post(SUPPORT, "still?")
        assert (await script.next("texts"))["texts"] == ["still?", "updated"]
