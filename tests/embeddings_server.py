"""A server with `/v1/embeddings` whose vectors are a test's own: what texts mean is decided by the test."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

MODEL = "tiny-embed"


@dataclass
class EmbeddingsServer:
    """What it gives, and what it was asked."""

    meaning: Callable[[str], Sequence[float]]
    longest: int = 10_000
    """Characters; a request with a longer text is refused whole, as vLLM and llama.cpp refuse it."""
    failures: list[int] = field(default_factory=list)
    """HTTP statuses of the next requests."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def texts(self) -> list[str]:
        """Every text that it was sent."""
        return [text for request in self.requests for text in request["input"]]

    async def embed(self, request: web.Request) -> web.Response:
        """`POST /v1/embeddings` as OpenAI documents it; the order of the items is left to their `index`."""
        body = await request.json()
        self.requests.append(body)
        self.keys.append(request.headers.get("authorization", ""))
        too_long = any(len(text) > self.longest for text in body["input"])
        status = self.failures.pop(0) if self.failures else 400 if too_long else 200
        if status != 200:
            return web.json_response({"error": {"message": "told to fail"}}, status=status)
        items = [
            {"object": "embedding", "index": number, "embedding": list(self.meaning(text))}
            for number, text in enumerate(body["input"])
        ]
        return web.json_response({"object": "list", "data": items[::-1], "model": body["model"]})


@asynccontextmanager
async def serving_embeddings(meaning: Callable[[str], Sequence[float]]) -> AsyncIterator[EmbeddingsServer]:
    """A server on a free loopback port."""
    server = EmbeddingsServer(meaning)
    app = web.Application()
    app.router.add_post("/v1/embeddings", server.embed)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
