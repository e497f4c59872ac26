"""Socket Mode: the app's WebSockets, the envelopes sent over them and their acknowledgements.

Source: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import json
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from .delivery import Delivery, PayloadKind
from .errors import NotDelivered
from .wire import Json

SOCKETS_LIMIT = 10
TICKET_LIFE_S = 60.0
PING_EVERY_S = 10.0


@dataclass
class SocketMode:
    """The open sockets of the app; each envelope goes to one of them, in turn."""

    app_id: str
    ack_timeout_s: float
    on_change: Callable[[bool], None]
    _tickets: dict[str, float] = field(default_factory=dict)
    _sockets: list[web.WebSocketResponse] = field(default_factory=list)
    _waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    _turn: int = 0

    @property
    def connected(self) -> bool:
        """Whether a socket is open."""
        return bool(self._sockets)

    def ticket(self) -> str:
        """A single-use ticket for one connection."""
        ticket = secrets.token_urlsafe(16)
        self._tickets[ticket] = time.monotonic() + TICKET_LIFE_S
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket endpoint `/link`."""
        deadline = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if deadline < time.monotonic():
            return web.Response(status=401, text="The ticket is unknown, used or expired.")
        # Pings come all the time: Node's client starts to expect them at the first one.
        socket = web.WebSocketResponse(heartbeat=PING_EVERY_S)
        await socket.prepare(request)
        if len(self._sockets) >= SOCKETS_LIMIT:
            await socket.send_json(_disconnect("too_many_websockets"))
            await socket.close()
            return socket
        await self._converse(socket)
        return socket

    async def send(self, delivery: Delivery) -> Json:
        """Send one envelope to one socket and give the acknowledgement's payload."""
        if not self._sockets:
            raise NotDelivered("connection_failed")
        socket = self._sockets[self._turn % len(self._sockets)]
        self._turn += 1
        envelope = _envelope(delivery)
        answer = self._waiting[envelope["envelope_id"]] = asyncio.get_running_loop().create_future()
        try:
            await socket.send_json(envelope)
            return await asyncio.wait_for(answer, self.ack_timeout_s)
        except (ConnectionError, RuntimeError):
            raise NotDelivered("connection_failed") from None
        except TimeoutError:
            raise NotDelivered("timeout") from None
        finally:
            del self._waiting[envelope["envelope_id"]]

    async def disconnect(self, reason: str) -> None:
        """Ask every socket to go and come back, as Slack does: `warning`, `refresh_requested` or `link_disabled`."""
        for socket in list(self._sockets):
            await socket.send_json(_disconnect(reason))
            await socket.close()

    async def close(self) -> None:
        """Close every socket without a word, as a stopping server does."""
        for socket in list(self._sockets):
            await socket.close()

    async def _converse(self, socket: web.WebSocketResponse) -> None:
        self._sockets.append(socket)
        try:
            await socket.send_json(self._hello())
            self.on_change(True)
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledge(message.data)
        except ConnectionError:
            return
        finally:
            self._sockets.remove(socket)
            self.on_change(self.connected)

    def _acknowledge(self, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            return
        if not isinstance(message, dict):
            return
        waiting = self._waiting.get(str(message.get("envelope_id")))
        if waiting is not None and not waiting.done():
            waiting.set_result(message.get("payload") or {})

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._sockets),
            "debug_info": _debug_info(),
            "connection_info": {"app_id": self.app_id},
        }


def _envelope(delivery: Delivery) -> Json:
    envelope: Json = {
        "envelope_id": str(uuid.uuid4()),
        "type": delivery.kind.value,
        "payload": delivery.payload,
        "accepts_response_payload": delivery.kind is not PayloadKind.EVENT,
    }
    if delivery.kind is PayloadKind.EVENT:
        envelope |= {"retry_attempt": delivery.attempt, "retry_reason": delivery.reason}
    return envelope


def _disconnect(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": _debug_info()}


def _debug_info() -> Json:
    return {"host": "applink-local", "build_number": 1, "approximate_connection_time": 18060}
