"""The only door to vLLM: an ASGI middleware that admits our own requests to the few routes that we use.

vLLM's own key guards some prefixes only; adapters could be unloaded at `/adapters` and the model asked at
`/invocations` without it (docs.vllm.ai, "Security", on the limits of `--api-key`). Here everything but the health
check needs the key, and what is not on the list does not exist.
"""

import hmac
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

KEY_VARIABLE = "VLLM_API_KEY"

HEALTH = ("GET", "/health")
ROUTES = {
    HEALTH,
    ("GET", "/metrics"),
    ("GET", "/v1/models"),
    ("POST", "/tokenize"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/completions"),
    ("POST", "/v1/load_lora_adapter"),
    ("POST", "/v1/unload_lora_adapter"),
    ("POST", "/sleep"),
    ("POST", "/wake_up"),
    ("GET", "/is_sleeping"),
}


class RouteGuard:
    """ASGI middleware for vLLM's `--middleware`; reads the key from `VLLM_API_KEY` when the server starts."""

    def __init__(self, app: Application) -> None:
        """Wrap an application.

        Raises:
            RuntimeError: there is no key; an unguarded server must not start.
        """
        key = os.environ.get(KEY_VARIABLE, "")
        if not key:
            raise RuntimeError(f"{KEY_VARIABLE} is empty: the model server does not start without a key")
        self._app = app
        self._expected = f"Bearer {key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 401 without the key and 404 for any other route."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        elif (route := (scope["method"], scope["path"])) == HEALTH:
            await self._app(scope, receive, send)
        elif not self._has_key(scope):
            await _refuse(send, 401, b'{"error": "a key is needed"}')
        elif route not in ROUTES:
            await _refuse(send, 404, b'{"error": "there is nothing here"}')
        else:
            await self._app(scope, receive, send)

    def _has_key(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(given) == 1 and hmac.compare_digest(given[0], self._expected)


async def _refuse(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
