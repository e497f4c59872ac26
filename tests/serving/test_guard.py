"""Of all the routes that vLLM has, only ours can be reached, and only with the key."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from serving.access import api_key, connect
from serving.route_guard import ROUTES, RouteGuard
from store.errors import NightschoolError
from tests.fixtures_serving import VllmServer

LIST_ROUTES = """
import json, sys
from vllm.entrypoints.launchers.api_server.entry import *
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.entrypoints.launchers.app import build_app
from vllm.utils.argparse_utils import FlexibleArgumentParser
args = make_arg_parser(FlexibleArgumentParser()).parse_args([])
app = build_app(args, supported_tasks=("generate",))
found = [[method, route.path] for route in app.routes for method in getattr(route, "methods", None) or ["GET"]]
print("ROUTES" + json.dumps(found))
"""


def vllm_routes() -> set[tuple[str, str]]:
    """Every route of a vLLM that serves, sleeps and may load adapters, as its own application lists them."""
    switches = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1", "VLLM_SERVER_DEV_MODE": "1", "VLLM_PLUGINS": ""}
    command, environment = [sys.executable, "-c", LIST_ROUTES], {**os.environ, **switches}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("ROUTES")]
    assert lines, done.stderr[-2000:]
    return {(method, path) for method, path in json.loads(lines[-1].removeprefix("ROUTES"))}


@pytest.mark.slow
async def test_every_route_of_vllm_is_shut_but_ours(vllm_server: VllmServer) -> None:
    routes = vllm_routes()
    assert {("POST", "/adapters"), ("DELETE", "/adapters/{adapter_name}"), ("POST", "/invocations")} <= routes
    assert {("POST", "/collective_rpc"), *ROUTES} <= routes
    assert len(routes) > 25
    async with connect(vllm_server.url, "") as stranger, connect(vllm_server.url, api_key(vllm_server.settings)) as us:
        for method, path in sorted(routes | {("OPTIONS", "/v1/models"), ("GET", "//v1/models"), ("GET", "/docs")}):
            without = await stranger.request(method, path)
            expected = 200 if (method, path) == ("GET", "/health") else 401
            assert without.status_code == expected, f"{method} {path} without the key"
            wrong = await stranger.request(method, path, headers={"Authorization": "Bearer wrong"})
            assert wrong.status_code == expected, f"{method} {path} with a wrong key"
            if (method, path) not in ROUTES:
                assert (await us.request(method, path)).status_code == 404, f"{method} {path} with the key"
        assert (await us.get("/v1/models")).status_code == 200
        assert (await us.get("/metrics")).status_code == 200


@pytest.mark.slow
def test_the_key_is_not_in_the_arguments(vllm_server: VllmServer) -> None:
    arguments = Path(f"/proc/{vllm_server.pid}/cmdline").read_bytes()
    assert b"--uds" in arguments
    assert api_key(vllm_server.settings).encode() not in arguments


@pytest.mark.slow
def test_a_second_server_at_the_same_place_is_refused(vllm_server: VllmServer) -> None:
    from serving.launch import prepare_socket

    with pytest.raises(NightschoolError, match="already running"):
        prepare_socket(vllm_server.settings.socket_path)
    assert vllm_server.settings.socket_path.parent.stat().st_mode & 0o777 == 0o700


def test_without_a_key_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    with pytest.raises(RuntimeError, match="does not start without a key"):
        RouteGuard(lambda scope, receive, send: None)  # type: ignore[arg-type, return-value]


async def test_only_the_exact_bearer_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "secret")

    async def application(scope: object, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"through"})  # type: ignore[operator]

    transport = httpx2.ASGITransport(app=RouteGuard(application))  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
        for header, status in [
            ("Bearer secret", 200),
            ("bearer secret", 401),
            ("Bearer secret ", 401),
            ("secret", 401),
        ]:
            answer = await http.get("/v1/models", headers={"Authorization": header})
            assert answer.status_code == status or header != header.strip(), header
        twice = [("Authorization", "Bearer secret"), ("Authorization", "Bearer secret")]
        assert (await http.get("/v1/models", headers=twice)).status_code == 401
        assert (await http.get("/v1/models/", headers=twice[:1])).status_code == 404
        assert (await http.post("/v1/models", headers=twice[:1])).status_code == 404
