"""Slack's Web API: every method that the workspace has, who may call it, and the one way that calls go through."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

from .. import scopes
from ..errors import SlackError
from ..faults import Fault
from ..wire import Arguments, Json, read_arguments
from ..workspace import Workspace
from . import agents, chat, conversations, files, people, reactions, streaming, views
from .call import Call

Method = Callable[[Call], Awaitable[Json]]

METHODS: dict[str, Method] = {
    "agents.sessions.rename": agents.rename_session,
    "agents.sessions.setStatus": agents.set_session,
    "api.test": people.api_test,
    "apps.connections.open": people.open_connection,
    "assistant.threads.setStatus": agents.set_status,
    "assistant.threads.setSuggestedPrompts": agents.set_suggested_prompts,
    "assistant.threads.setTitle": agents.set_title,
    "auth.test": people.auth_test,
    "blocks.validate": people.validate_blocks,
    "bots.info": people.bot_info,
    "chat.appendStream": streaming.append,
    "chat.delete": chat.delete,
    "chat.getPermalink": chat.get_permalink,
    "chat.postEphemeral": chat.post_ephemeral,
    "chat.postMessage": chat.post_message,
    "chat.startStream": streaming.start,
    "chat.stopStream": streaming.stop,
    "chat.update": chat.update,
    "conversations.history": conversations.history,
    "conversations.info": conversations.info,
    "conversations.join": conversations.join,
    "conversations.list": conversations.list_all,
    "conversations.members": conversations.members,
    "conversations.open": conversations.open_direct,
    "conversations.replies": conversations.replies,
    "files.completeUploadExternal": files.complete_upload,
    "files.getUploadURLExternal": files.get_upload_url,
    "files.info": files.info,
    "reactions.add": reactions.add,
    "reactions.get": reactions.get,
    "reactions.remove": reactions.remove,
    "team.info": people.team_info,
    "usergroups.list": people.usergroup_list,
    "usergroups.users.list": people.usergroup_members,
    "users.conversations": conversations.of_user,
    "users.info": people.user_info,
    "users.list": people.user_list,
    "views.open": views.open_modal,
    "views.publish": views.publish,
    "views.push": views.push,
    "views.update": views.update,
}
OPEN_TO_ALL = frozenset({"api.test"})
OF_THE_APP = frozenset({"apps.connections.open"})


async def handle(workspace: Workspace, request: web.Request) -> web.Response:
    """Answer one call: errors of the caller come with HTTP 200, as Slack gives them."""
    name = request.match_info["method"]
    fault = workspace.faults.take(name)
    if fault is not None:
        await asyncio.sleep(fault.delay_s)
        if fault.error:
            return _fail(fault)
    try:
        arguments = await read_arguments(request)
        answer = {"ok": True, **await _run(workspace, name, _token(request, arguments), arguments)}
    except SlackError as refused:
        answer = {"ok": False, "error": refused.code, **refused.extra}
    return web.json_response(answer, headers=_headers(workspace, name))


async def _run(workspace: Workspace, name: str, token: str | None, arguments: Arguments) -> Json:
    method = METHODS.get(name)
    if method is None:
        raise SlackError("unknown_method", req_method=name)
    if name not in OPEN_TO_ALL:
        _authenticate(workspace, name, token)
        scopes.require(workspace.manifest.scopes, scopes.SCOPES.get(name))
    return await method(Call(workspace, arguments))


def _authenticate(workspace: Workspace, name: str, token: str | None) -> None:
    if token is None:
        raise SlackError("not_authed")
    credentials = workspace.credentials
    by_bot = secrets.compare_digest(token.encode(), credentials.bot_token.encode())
    by_app = secrets.compare_digest(token.encode(), credentials.app_token.encode())
    if not by_bot and not by_app:
        raise SlackError("invalid_auth")
    if by_app != (name in OF_THE_APP):
        raise SlackError("not_allowed_token_type")


def _token(request: web.Request, arguments: Arguments) -> str | None:
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return header.removeprefix("Bearer ").strip()
    return arguments.text("token")


def _headers(workspace: Workspace, name: str) -> dict[str, str]:
    return {
        "x-oauth-scopes": ",".join(sorted(workspace.manifest.scopes)),
        "x-accepted-oauth-scopes": scopes.SCOPES.get(name, ""),
        "x-slack-req-id": secrets.token_hex(16),
    }


def _fail(fault: Fault) -> web.Response:
    headers = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
    return web.json_response({"ok": False, "error": fault.error}, status=fault.status, headers=headers)
