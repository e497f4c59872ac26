"""An OpenAI-compatible server that streams what a test tells it to: the model at the edge of the bot's tests."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


def echo(body: dict[str, Any]) -> str:
    """An answer that tells which version was asked what."""
    return f"{body['model']} answers: {body['messages'][-1]['content']}"


@dataclass
class ScriptedModel:
    """How the server behaves, and what it was asked; change it while it runs."""

    reply: Callable[[dict[str, Any]], str] = echo
    pause_s: float = 0.0
    """Between two words."""
    break_after: int | None = None
    """Cut the connection after so many words."""
    failures: list[int] = field(default_factory=list)
    """HTTP statuses of the next requests."""
    silent: bool = False
    """Take requests and say nothing at all until the gate is set again."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Words after the first are held back until it is set."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    cut_off: int = 0
    """Requests whose client went away before the end."""
    url: str = ""

    def __post_init__(self) -> None:
        self.gate.set()

    async def models(self, request: web.Request) -> web.Response:
        """`GET /v1/models`: the base model alone."""
        return web.json_response({"data": [{"id": "base", "root": "/models/base"}]})

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/chat/completions` with `stream`."""
        body = await request.json()
        self.requests.append(body)
        if self.silent:
            await self.gate.wait()
        if self.failures:
            status = self.failures.pop(0)
            return web.json_response({"error": {"message": "told to fail", "code": status}}, status=status)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        try:
            await self._write(response, body)
        except (ConnectionError, asyncio.CancelledError):
            self.cut_off += 1
            raise
        return response

    async def _write(self, response: web.StreamResponse, body: dict[str, Any]) -> None:
        words = self.reply(body).split(" ")
        for number, word in enumerate(words):
            if number == self.break_after:
                raise ConnectionResetError
            text = word if number == 0 else f" {word}"
            choice = {"index": 0, "delta": {"content": text}, "logprobs": {"content": [{"logprob": -0.5}]}}
            await _send(response, {"model": body["model"], "choices": [choice]})
            await asyncio.sleep(self.pause_s)
            await self.gate.wait()
        usage = {"prompt_tokens": 7, "completion_tokens": len(words)}
        stop = {"index": 0, "delta": {}, "finish_reason": "stop"}
        await _send(response, {"model": body["model"], "choices": [stop]})
        await _send(response, {"model": body["model"], "choices": [], "usage": usage})
        await response.write(b"data: [DONE]\n\n")


async def _send(response: web.StreamResponse, chunk: dict[str, Any]) -> None:
    await response.write(f"data: {json.dumps(chunk)}\n\n".encode())


@asynccontextmanager
async def serving_model() -> AsyncIterator[ScriptedModel]:
    """A scripted model on a free loopback port."""
    model = ScriptedModel()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", model.complete)
    app.router.add_get("/v1/models", model.models)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    model.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield model
    finally:
        model.gate.set()
        await runner.cleanup()
