"""Puts the bot together and runs it: Bolt and its listeners, the inbox, the outbox, the reconciler. Wiring only."""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler, AsyncServerErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot import canarying, digest, http_mode, identities, knowing, listeners, posting, promoting, telling, trying
from bot.answering import Retry, answer, answer_again
from bot.home import watching
from bot.inbox import ASK, CANARY, EVENT, MOVE, RETRY, TRY, Inbox, arrival_of
from bot.outbox import OutboxWorker
from bot.promoting import Move
from bot.reminding import Reminders
from bot.services import Services
from bot.socket_mode import connected
from serving.client import ModelClient
from serving.fleet import Fleet
from serving.reconcile import Reconciler
from store import logs
from store.artifacts import write_bytes
from store.audit_settings import note_settings
from store.errors import BadInput, NightschoolError
from store.session import Store
from store.settings import Settings
from store.storable import make_storable
from store.tables import InboxEvent
from store.tickets import Question

log = logging.getLogger(__name__)

CALL_TIMEOUT_S = 30.0
DRAIN_S = 20.0
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
FROM_INBOX = "from_inbox"
"""Marks a request that our own worker made out of a stored event."""

STALE = (
    "That took too long to reach me, and Slack lets me open a form only within three seconds. Please press it again."
)
STALE_ERRORS = {"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"}
UNEXPECTED = "Something went wrong on my side; nothing was changed. Please try again, and tell an admin if it stays so."


def slack_client(settings: Settings, session: aiohttp.ClientSession) -> AsyncWebClient:
    """A client of Slack's Web API: waits when told to slow down, keeps its connections open.

    A lost connection is not tried again here: whether a message was posted is then unknown, and whoever posts has
    to look first.

    Raises:
        BadInput: the tokens are missing.
    """
    if settings.slack_bot_token is None:
        raise BadInput(
            "There is no bot token. Set SLACK_BOT_TOKEN (xoxb-…) and SLACK_APP_TOKEN (xapp-…) from your Slack app's "
            "pages, or use `nightschool run`, which starts a local workspace."
        )
    _go_direct_to_loopback(settings)
    return AsyncWebClient(
        token=settings.slack_bot_token.get_secret_value(),
        base_url=settings.slack_api_url,
        session=session,
        retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=5), AsyncServerErrorRetryHandler(2)],
    )


def _go_direct_to_loopback(settings: Settings) -> None:
    # Slack's clients read these variables themselves and ignore NO_PROXY.
    if urlsplit(settings.slack_api_url).hostname in ("127.0.0.1", "localhost", "::1"):
        for name in PROXIES:
            os.environ.pop(name, None)


def create_services(settings: Settings, store: Store, client: ModelClient, fleet: Fleet) -> Services:
    """What the bot's parts share. To be called within the event loop; `close_services` closes what is made here."""
    session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_TIMEOUT_S))
    return Services(settings, store, client, fleet, slack_client(settings, session), Inbox(store))


async def close_services(services: Services) -> None:
    """Close the connections to Slack and to the embeddings server."""
    await services.embeddings.aclose()
    if services.slack.session is not None:
        await services.slack.session.close()


def create_app(services: Services) -> AsyncApp:
    """The Bolt app with every listener; events go through the inbox, clicks directly.

    Listeners run before the response (`process_before_response`), so that what is acknowledged has been stored.
    """

    async def keep(context: AsyncBoltContext, body: dict[str, Any], next: Callable[[], Awaitable[None]]) -> Any:
        context["services"] = services
        make_storable(body)
        if body.get("type") != "event_callback" or context.get(FROM_INBOX):
            return await next()
        arrival = arrival_of(body)
        if arrival is not None:
            await services.inbox.keep(arrival)
        return BoltResponse(status=200, body="")

    secret = services.settings.slack_signing_secret
    app = AsyncApp(
        client=services.slack,
        signing_secret=secret.get_secret_value() if secret else None,
        before_authorize=keep,
        process_before_response=True,
        name="nightschool",
    )
    app.error(_explain)
    app.middleware(identities.admit)
    listeners.register(app)
    _register_doers(app, services)
    return app


async def _explain(
    error: Exception, body: dict[str, Any], context: AsyncBoltContext, services: Services
) -> BoltResponse | None:
    """A listener failed: the inbox tries an event again; a person who clicked is told in words."""
    if context.get(FROM_INBOX):
        context["failure"] = error
        return None
    if body.get("type") == "event_callback":
        # It could not be stored: 500, so that it is not acknowledged and Slack sends it again.
        return None
    if isinstance(error, NightschoolError):
        sentence = str(error)
    elif isinstance(error, SlackApiError) and posting.error_of(error) in STALE_ERRORS:
        log.warning("a form could not be opened: %s", posting.error_of(error))
        sentence = STALE
    else:
        log.exception("a listener failed", exc_info=error)
        sentence = UNEXPECTED
    await telling.tell(services, body, sentence)
    return BoltResponse(status=200, body="")


def _register_doers(app: AsyncApp, services: Services) -> None:
    async def do_event(event: InboxEvent) -> None:
        marks = {FROM_INBOX: True, "attempt": event.attempts}
        request = AsyncBoltRequest(body=event.body, mode="socket_mode", context=marks)
        response = await app.async_dispatch(request)
        if failure := request.context.get("failure"):
            raise failure
        if response.status >= 500:
            raise RuntimeError(f"Bolt answered {response.status}")

    async def do_ask(event: InboxEvent) -> None:
        await answer(services, Question(**event.body), event.attempts)

    async def do_retry(event: InboxEvent) -> None:
        await answer_again(services, Retry(**event.body), event.attempts)

    async def do_move(event: InboxEvent) -> None:
        await promoting.show_busy(services, Move(**event.body))
        await promoting.carry_out(services, Move(**event.body))

    async def do_try(event: InboxEvent) -> None:
        await trying.carry_out(services, trying.Wish(**event.body), event.attempts)

    async def do_canary(event: InboxEvent) -> None:
        await canarying.carry_out(services, canarying.Wish(**event.body))

    doers = {EVENT: do_event, ASK: do_ask, RETRY: do_retry, MOVE: do_move, TRY: do_try, CANARY: do_canary}
    for kind, doer in doers.items():
        services.inbox.register(kind, doer)


def run_bot(settings: Settings) -> None:
    """Run the bot until SIGTERM or SIGINT, then finish what is being answered.

    Over Socket Mode, or where `http_port` is set, behind a web server that Slack calls.

    Raises:
        NightschoolError: tokens are missing or refused, or Slack cannot be reached; the message says what to do.
    """
    logs.start(settings)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack:
        store = Store.of(settings)
        stack.callback(store.close)
        store.migrate()
        await store.write(note_settings, settings, "bot")
        client, fleet = ModelClient(settings), Fleet(settings)
        stack.push_async_callback(client.aclose)
        stack.push_async_callback(fleet.aclose)
        services = create_services(settings, store, client, fleet)
        stack.push_async_callback(close_services, services)
        app = create_app(services)
        await store.read(services.approved.refresh)
        await store.read(services.shelf.refresh)
        await _check_tokens(services)
        workers = start_workers(services)
        stack.push_async_callback(_stop, workers)
        stack.push_async_callback(services.inbox.drain, DRAIN_S)
        http = settings.http_port is not None
        await stack.enter_async_context(http_mode.listening(settings, app) if http else connected(services, app))
        write_bytes(settings.bot_ready_file, str(os.getpid()).encode())
        stack.callback(settings.bot_ready_file.unlink, missing_ok=True)
        await _until(stopping, workers)
        log.info("stopping: no new questions, %d answers are finished first", len(services.running))


def start_workers(services: Services) -> list[asyncio.Task[None]]:
    """The loops beside the listeners, each of which ends only when it is cancelled."""
    loops: list[Coroutine[Any, Any, None]] = [
        services.inbox.work(),
        OutboxWorker(services).work(),
        Reminders(services).work(),
        Reconciler(services.store, services.fleet, services.settings).forever(),
        watching.keep_current(services),
        digest.keep_owing(services),
        canarying.keep_watching(services),
        knowing.keep_current(services),
    ]
    return [asyncio.create_task(loop) for loop in loops]


async def _stop(workers: list[asyncio.Task[None]]) -> None:
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


async def _until(stopping: asyncio.Event, workers: list[asyncio.Task[None]]) -> None:
    """Wait for the stop signal; a worker that ends by itself is a fault, and its error is raised."""
    waiting = asyncio.create_task(stopping.wait())
    done, _ = await asyncio.wait([waiting, *workers], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in done:
        if task is not waiting:
            task.result()


async def _check_tokens(services: Services) -> None:
    url = services.settings.slack_api_url
    try:
        bot = await services.bot()
    except SlackApiError as error:
        raise BadInput(
            f"Slack at {url} refused the bot token ({posting.error_of(error)}). Check SLACK_BOT_TOKEN: it begins "
            "with xoxb- and stands on your Slack app's page “Install App”."
        ) from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise BadInput(f"Slack at {url} cannot be reached ({error}). Check the network and SLACK_API_URL.") from error
    log.info("the bot is %s in workspace %s", bot.user_id, bot.team_id)
