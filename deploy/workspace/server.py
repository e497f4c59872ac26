"""The HTTP server: routes, the guard against other sites, and starting and stopping it all."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from . import interactivity, page_actions, page_api, test_api, web_api
from .errors import BadConfiguration, PageError, SlackError
from .page_api import WORKSPACE
from .workspace import Workspace

STATIC = Path(__file__).parent / "static"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
BODY_LIMIT_BYTES = 60_000_000
PAGE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests made under another name (DNS rebinding) or by another site's page."""
    host = urlsplit(f"//{request.host}").hostname
    if host not in LOOPBACK:
        return web.Response(status=403, text="This workspace answers on this machine only.")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        return web.Response(status=403, text="This workspace answers its own page only.")
    response = await handler(request)
    if not response.prepared:
        response.headers.update(PAGE_HEADERS)
    return response


@web.middleware
async def sentences(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer the page in words when something cannot be done."""
    if not request.path.startswith(("/page/", "/test/")):
        return await handler(request)
    try:
        return await handler(request)
    except PageError as refused:
        return page_api.refusal(str(refused))
    except SlackError as refused:
        return page_api.refusal(page_actions.sentence(refused))
    except json.JSONDecodeError:
        return page_api.refusal("The page sends JSON.")


def create_app(workspace: Workspace, with_test_api: bool = False) -> web.Application:
    """The whole server around a workspace; `with_test_api` adds the switches of `test_api`."""
    app = web.Application(middlewares=[guard, sentences], client_max_size=BODY_LIMIT_BYTES)
    app[WORKSPACE] = workspace
    app.add_routes([*_slack_routes(), *_page_routes()])
    if with_test_api:
        app.add_routes(test_api.ROUTES)
    if STATIC.is_dir():
        app.router.add_static("/static", STATIC)
    return app


@dataclass(frozen=True)
class Running:
    """A workspace that listens."""

    workspace: Workspace

    @property
    def url(self) -> str:
        """Where it listens, and the address of its page."""
        return self.workspace.url

    @property
    def api_url(self) -> str:
        """The base URL for Slack clients."""
        return self.workspace.api_url

    @property
    def bot_token(self) -> str:
        """The app's bot token."""
        return self.workspace.credentials.bot_token

    @property
    def app_token(self) -> str:
        """The app-level token for Socket Mode."""
        return self.workspace.credentials.app_token


@asynccontextmanager
async def running(
    workspace: Workspace, port: int = 0, host: str = "127.0.0.1", with_test_api: bool = False
) -> AsyncIterator[Running]:
    """Serve a workspace for as long as the block runs; port 0 picks a free one.

    Raises:
        BadConfiguration: the host is not this machine, or the port is taken.
    """
    if host not in LOOPBACK:
        raise BadConfiguration(f"The workspace listens on this machine only, not on {host}: use 127.0.0.1.")
    runner = web.AppRunner(create_app(workspace, with_test_api), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as taken:
            raise BadConfiguration(f"Port {port} cannot be used: {taken.strerror}. Choose another.") from taken
        bound = runner.addresses[0][1]
        workspace.url = f"http://{'[::1]' if host == '::1' else host}:{bound}"
        yield Running(workspace)
    finally:
        await workspace.close()
        await runner.cleanup()


def _slack_routes() -> list[web.RouteDef]:
    return [
        web.post("/api/{method}", _api),
        web.get("/api/{method}", _api),
        web.get("/link/", _link),
        web.get("/link", _link),
        web.post("/actions/{team}/{key:.+}", _response_url),
        web.post("/upload/{file_id}/{key}", _upload),
        web.get("/files/{file_id}/{name}", _file),
    ]


def _page_routes() -> list[web.RouteDef]:
    return [
        web.get("/", _index),
        web.get(r"/archives/{channel}/p{digits:\d{16}}", _permalink),
        web.get("/page/state", page_api.state),
        web.get("/page/messages", page_api.read_messages),
        web.get("/page/home", page_api.home),
        web.get("/page/events", page_api.feed),
        web.post("/page/open", page_actions.open_channel),
        web.post("/page/invite", page_actions.invite),
        web.post("/page/join", page_actions.join),
        web.post("/page/leave", page_actions.leave),
        web.post("/page/post", page_actions.post),
        web.post("/page/edit", page_actions.edit),
        web.post("/page/delete", page_actions.delete),
        web.post("/page/react", page_actions.react),
        web.post("/page/action", page_actions.action),
        web.post("/page/suggestion", page_actions.suggestion),
        web.post("/page/submit", page_actions.submit),
        web.post("/page/close_view", page_actions.close_view),
        web.post("/page/command", page_actions.command),
        web.post("/page/shortcut", page_actions.shortcut),
        web.post("/page/stop", page_actions.stop),
        web.post("/page/uninstall", page_actions.uninstall),
    ]


async def _api(request: web.Request) -> web.Response:
    return await web_api.handle(request.app[WORKSPACE], request)


async def _link(request: web.Request) -> web.StreamResponse:
    return await request.app[WORKSPACE].sockets.serve(request)


async def _upload(request: web.Request) -> web.Response:
    return await web_api.files.receive(request.app[WORKSPACE], request)


async def _file(request: web.Request) -> web.StreamResponse:
    return web_api.files.serve(request.app[WORKSPACE], request)


async def _response_url(request: web.Request) -> web.Response:
    try:
        body = await request.json()
        interactivity.answer_response_url(request.app[WORKSPACE], request.match_info["key"], body)
    except json.JSONDecodeError:
        return web.json_response({"ok": False, "error": "invalid_json"}, status=400)
    except SlackError as refused:
        status = 404 if refused.code in ("expired_url", "used_url") else 400
        return web.json_response({"ok": False, "error": refused.code, **refused.extra}, status=status)
    return web.Response(text="ok")


async def _index(request: web.Request) -> web.StreamResponse:
    page = STATIC / "index.html"
    if not page.exists():
        return web.Response(status=404, text="The page is not part of this installation.")
    return web.FileResponse(page)


async def _permalink(request: web.Request) -> web.Response:
    """Send a message's permalink to its thread in the page."""
    digits = request.match_info["digits"]
    root = request.query.get("thread_ts", f"{digits[:10]}.{digits[10:]}")
    raise web.HTTPFound(f"/#{request.match_info['channel']}/{root}")
