"""HTTP mode: Slack calls the bot at a public address; the same app answers, and every request's signature is checked.

Bolt refuses what was not signed with the app's signing secret within the last five minutes, before anything is read
(https://docs.slack.dev/authentication/verifying-requests-from-slack). Events are stored before they are acknowledged,
as in Socket Mode.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from store.errors import BadInput
from store.settings import Settings

log = logging.getLogger(__name__)

PATH = "/slack/events"


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

    async def take(request: web.Request) -> web.Response:
        try:
            asked = await to_bolt_request(request)
        except UnicodeDecodeError:
            return web.Response(status=400, text="The body is not UTF-8.")
        return await to_aiohttp_response(await app.async_dispatch(asked))

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


async def _start(runner: web.AppRunner, settings: Settings) -> None:
    try:
        await web.TCPSite(runner, settings.http_host, settings.http_port).start()
    except OSError as error:
        raise BadInput(f"HTTP mode cannot listen on port {settings.http_port}: {error.strerror}.") from error
