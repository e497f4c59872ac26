"""Nobody but this machine's own page and apps gets an answer."""

import stat
from pathlib import Path

import aiohttp
import pytest

from deploy.workspace.errors import BadConfiguration
from deploy.workspace.server import Running, running
from tests.fixtures_workspace import ANA, SUPPORT, default_workspace


async def status(method: str, url: str, **options: object) -> int:
    async with aiohttp.ClientSession() as session, session.request(method, url, **options) as response:  # type: ignore[arg-type]
        return response.status


async def test_another_name_for_this_machine_is_refused(workspace: Running) -> None:
    page = f"{workspace.url}/page/state"
    assert await status("GET", page, headers={"Host": "rebound.example.com"}) == 403
    assert await status("GET", page, headers={"Host": "127.0.0.1"}) == 200


async def test_another_sites_page_is_refused(workspace: Running) -> None:
    body = {"as": ANA, "channel": SUPPORT, "text": "x"}
    post = f"{workspace.url}/page/post"
    assert await status("POST", post, json=body, headers={"Origin": "https://evil.example.com"}) == 403
    assert await status("POST", post, json=body, headers={"Origin": "null"}) == 403
    assert await status("POST", post, json=body, headers={"Origin": workspace.url}) == 200
    socket = f"{workspace.url}/link/?ticket={workspace.workspace.sockets.ticket()}"
    assert await status("GET", socket, headers={"Origin": "https://evil.example.com"}) == 403
    assert await status("GET", f"{workspace.url}/link/?ticket=guessed") == 401


async def test_a_form_of_another_kind_is_not_taken(workspace: Running) -> None:
    body = {"as": ANA, "channel": SUPPORT, "text": "x"}
    async with aiohttp.ClientSession() as session, session.post(f"{workspace.url}/page/post", data=body) as response:
        assert (await response.json())["ok"] is False
    assert workspace.workspace.storage.history(SUPPORT) == []


async def test_other_addresses_are_not_listened_on(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"127\.0\.0\.1"):
        async with running(default_workspace(tmp_path), host="0.0.0.0"):
            pass


async def test_what_is_kept_is_closed_to_others(workspace: Running, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "workspace").stat().st_mode) == 0o700
