"""Socket Mode: the bot opens the connection to Slack itself, so it needs no address that Slack can reach.

Source: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot import posting
from bot.services import Services
from store.errors import BadInput
from store.settings import Settings

CONNECT_TIMEOUT_S = 30.0


@asynccontextmanager
async def connected(services: Services, app: AsyncApp) -> AsyncIterator[None]:
    """Be connected to Slack for the time of the block.

    Raises:
        BadInput: there is no app-level token, Slack refuses it, or no connection can be had.
    """
    handler = AsyncSocketModeHandler(app, _app_token(services.settings))
    try:
        await _connect(services, handler)
        yield
        with suppress(Exception):
            await handler.client.disconnect()  # type: ignore[no-untyped-call]
    finally:
        await handler.client.close()  # type: ignore[no-untyped-call]


def _app_token(settings: Settings) -> str:
    if settings.slack_app_token is None:
        raise BadInput(
            "There is no app-level token. Make one with the scope connections:write on your Slack app's page "
            "“Basic Information” and set SLACK_APP_TOKEN (xapp-…)."
        )
    return settings.slack_app_token.get_secret_value()


async def _connect(services: Services, handler: AsyncSocketModeHandler) -> None:
    try:
        # The Socket Mode client logs a refused token and goes on; asked directly, Slack says why.
        await services.slack.apps_connections_open(app_token=handler.app_token)
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await handler.client.connect()  # type: ignore[no-untyped-call]
            # Nor does it raise when a proxy is in the way, so look whether it has worked.
            while not await handler.client.is_connected():
                await asyncio.sleep(0.05)
    except SlackApiError as error:
        raise BadInput(
            f"Slack refused the app-level token ({posting.error_of(error)}). Check SLACK_APP_TOKEN: it begins with "
            "xapp- and needs the scope connections:write."
        ) from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise BadInput(
            f"No Socket Mode connection to Slack within {CONNECT_TIMEOUT_S:.0f} s ({error}). "
            "Check the network, proxies, and that Socket Mode is switched on in the app."
        ) from error
