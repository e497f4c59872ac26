"""Start a workspace: `python -m deploy.workspace --folder DIR [--port N] [--manifest FILE] [--seed FILE]`."""

import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from .errors import BadConfiguration
from .manifest import load_manifest
from .seed import load_seed
from .server import Running, running
from .workspace import Workspace, open_workspace

DEPLOY = Path(__file__).parents[1]


def main(
    folder: Annotated[Path, typer.Option(help="Where everything is kept; workspace.json appears here when ready.")],
    port: Annotated[int, typer.Option(help="The port to listen on, on this machine only; 0 picks a free one.")] = 0,
    manifest: Annotated[Path, typer.Option(help="The app's Slack manifest.")] = DEPLOY / "slack-manifest.yaml",
    seed: Annotated[Path, typer.Option(help="The people and channels.")] = DEPLOY / "slack-seed.yaml",
    test_api: Annotated[bool, typer.Option(help="Add the switches that tests use (see test_api.py).")] = False,
    request_url: Annotated[str | None, typer.Option(help="Call the app here, not over Socket Mode.")] = None,
) -> None:
    """Run a local Slack workspace until interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        workspace = open_workspace(folder, load_manifest(manifest), load_seed(seed), request_url=request_url)
        asyncio.run(_serve(workspace, folder, port, test_api))
    except (BadConfiguration, OSError) as wrong:
        typer.echo(str(wrong), err=True)
        sys.exit(1)


async def _serve(workspace: Workspace, folder: Path, port: int, test_api: bool) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with running(workspace, port, with_test_api=test_api) as server:
        announcement = folder / "workspace.json"
        _announce(announcement, server)
        typer.echo(f"The workspace is open: {server.url}")
        await stopped.wait()
        announcement.unlink(missing_ok=True)


def _announce(path: Path, server: Running) -> None:
    """Write addresses and tokens for the app, readable by this user only and never half written."""
    credentials = server.workspace.credentials
    content = {
        "url": server.url,
        "api_url": server.api_url,
        "page_url": f"{server.url}/",
        "bot_token": credentials.bot_token,
        "app_token": credentials.app_token,
        "signing_secret": credentials.signing_secret,
    }
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
    draft.replace(path)


if __name__ == "__main__":
    typer.run(main)
