"""HTTP mode: Slack calls the bot at a public address; the same app answers, and every request's signature is checked.

What was not signed with the app's signing secret within the last five minutes is refused before anything is read of it
(https://docs.slack.dev/authentication/verifying-requests-from-slack): Bolt would parse a body first and look at the
signature later. Events are stored before they are acknowledged, as in Socket Mode.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier

from store.errors import BadInput
from store.settings import Settings

log = logging.getLogger(__name__)

PATH = "/slack/events"
MOST_DIGITS = 12
"""Of a timestamp in seconds; Slack's have ten."""


@asynccontextmanager
async def listening(settings: Settings, app: AsyncApp) -> AsyncIterator[str]:
    """Take Slack's requests for the time of the block; gives the local address of `PATH`.

    Raises:
        BadInput: there is no signing secret, or the port cannot be had.
    """
    secret = settings.slack_signing_secret
    if secret is None or not secret.get_secret_value():
        raise BadInput(
            "HTTP mode needs the signing secret, by which requests of Slack are told from others. It stands on your "
            "Slack app's page “Basic Information”; set SLACK_SIGNING_SECRET, or leave NIGHTSCHOOL_HTTP_PORT empty."
        )

    verifier = SignatureVerifier(secret.get_secret_value())

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        if not _signed(verifier, body, request):
            # Slack's check of certificates is not signed, and wants to hear that somebody is there.
            return web.Response(status=200 if body.startswith(b"ssl_check=1") else 401)
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    server = web.Application()
    server.router.add_post(PATH, take)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    try:
        await _start(runner, settings)
        host, port, *_ = runner.addresses[0]
        log.info("listening for Slack on http://%s:%d%s", host, port, PATH)
        yield f"http://{host}:{port}{PATH}"
    finally:
        await runner.cleanup()


def _signed(verifier: SignatureVerifier, body: bytes, request: web.Request) -> bool:
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= MOST_DIGITS and signature.isascii()):
        return False
    try:
        return verifier.is_valid(body, timestamp, signature)
    except UnicodeDecodeError:
        return False


async def _start(runner: web.AppRunner, settings: Settings) -> None:
    try:
        await web.TCPSite(runner, settings.http_host, settings.http_port).start()
    except OSError as error:
        raise BadInput(f"HTTP mode cannot listen on port {settings.http_port}: {error.strerror}.") from error
