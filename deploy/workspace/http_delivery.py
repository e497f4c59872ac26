"""HTTP mode: the app is called at its request URL with signed requests, for apps that do not use Socket Mode.

Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

import aiohttp

from .delivery import Delivery, PayloadKind
from .errors import NotDelivered
from .wire import Json


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's `v0` signature of a request."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


@dataclass
class HttpDelivery:
    """Posts payloads to one request URL; an answer of 200 within the time limit acknowledges them."""

    request_url: str
    signing_secret: str
    ack_timeout_s: float
    connected: bool = True
    _session: aiohttp.ClientSession | None = field(default=None)

    async def send(self, delivery: Delivery) -> Json:
        """Post one payload and give what the app answered."""
        body, content_type = _encoded(delivery)
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self.signing_secret, timestamp, body),
        }
        if delivery.attempt:
            headers |= {"X-Slack-Retry-Num": str(delivery.attempt), "X-Slack-Retry-Reason": delivery.reason}
        self._session = self._session or aiohttp.ClientSession(trust_env=False)
        limit = aiohttp.ClientTimeout(total=self.ack_timeout_s)
        try:
            async with self._session.post(self.request_url, data=body, headers=headers, timeout=limit) as response:
                return await _answer(response)
        except TimeoutError:
            raise NotDelivered("http_timeout") from None
        except aiohttp.ClientError:
            raise NotDelivered("connection_failed") from None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _encoded(delivery: Delivery) -> tuple[bytes, str]:
    form = "application/x-www-form-urlencoded"
    if delivery.kind is PayloadKind.EVENT:
        return json.dumps(delivery.payload).encode(), "application/json"
    if delivery.kind is PayloadKind.INTERACTIVE:
        return urlencode({"payload": json.dumps(delivery.payload)}).encode(), form
    return urlencode(delivery.payload).encode(), form


async def _answer(response: aiohttp.ClientResponse) -> Json:
    if response.status != 200:
        raise NotDelivered("http_error")
    text = await response.text()
    if not text:
        return {}
    if response.content_type != "application/json":
        return {"text": text}
    answer = json.loads(text)
    return answer if isinstance(answer, dict) else {}
