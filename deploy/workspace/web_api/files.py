"""`files.*`: uploading in three steps. Source: https://docs.slack.dev/messaging/working-with-files."""

import mimetypes
import secrets
import time
from pathlib import Path

from aiohttp import web
from aiohttp.web_request import FileField

from .. import messages
from ..errors import SlackError, invalid_arguments
from ..messages import Draft
from ..wire import Json
from ..workspace import Workspace
from .call import Call

FILE_LIMIT_BYTES = 50_000_000


async def get_upload_url(call: Call) -> Json:
    """Step one: a place to send the bytes to."""
    name = Path(call.arguments.need("filename")).name
    length = call.arguments.integer("length", 0, FILE_LIMIT_BYTES)
    if length == 0:
        raise invalid_arguments("missing required field: length")
    file_id = f"F{secrets.token_hex(5).upper()}"
    draft = {"id": file_id, "name": name, "size": length, "key": secrets.token_urlsafe(18), "complete": False}
    call.workspace.storage.put_record("file", file_id, draft)
    return {"upload_url": f"{call.workspace.url}/upload/{file_id}/{draft['key']}", "file_id": file_id}


async def receive(workspace: Workspace, request: web.Request) -> web.Response:
    """Step two: the bytes, raw or as a multipart form."""
    file = workspace.storage.record("file", request.match_info["file_id"])
    if file is None or file["complete"] or not secrets.compare_digest(file["key"], request.match_info["key"]):
        return web.Response(status=404, text="This upload is unknown or over.")
    content = await _bytes(request)
    (workspace.storage.uploads / file["id"]).write_bytes(content)
    workspace.storage.put_record("file", file["id"], {**file, "size": len(content)})
    return web.Response(text=f"OK - {len(content)}")


async def complete_upload(call: Call) -> Json:
    """Step three: name the files, and share them in a channel."""
    given = call.arguments.objects("files")
    if not given:
        raise invalid_arguments("missing required field: files")
    files = [_completed(call, each) for each in given]
    name = call.arguments.text("channel_id") or call.arguments.text("channels")
    if name:
        channel = call.workspace.directory.writable_by_bot(name)
        root = messages.thread_of(call.workspace, channel, call.arguments.text("thread_ts"))
        content: Json = {"text": call.arguments.text("initial_comment") or "", "files": files}
        content |= {"subtype": "file_share", "upload": False}
        blocks = call.blocks()
        if blocks:
            content["blocks"] = blocks
        messages.post(call.workspace, messages.by_app(call.workspace), Draft(channel, content, root))
    return {"files": files}


async def info(call: Call) -> Json:
    """One file."""
    file = call.workspace.storage.record("file", call.arguments.need("file"))
    if file is None or not file["complete"]:
        raise SlackError("file_not_found")
    return {"file": _public(file)}


def serve(workspace: Workspace, request: web.Request) -> web.StreamResponse:
    """The bytes of a file, for the page and for the app; never as a page of its own."""
    file = workspace.storage.record("file", request.match_info["file_id"])
    if file is None or not file["complete"]:
        return web.Response(status=404, text="This file does not exist.")
    headers = {"Content-Type": file["mimetype"], "Content-Security-Policy": "sandbox"}
    return web.FileResponse(workspace.storage.uploads / file["id"], headers=headers)


async def _bytes(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    form = await request.post()
    for value in form.values():
        if isinstance(value, FileField):
            return value.file.read()
    return b""


def _completed(call: Call, given: Json) -> Json:
    workspace = call.workspace
    file = workspace.storage.record("file", str(given.get("id")))
    if file is None or not (workspace.storage.uploads / file["id"]).exists():
        raise SlackError("file_not_found")
    address = f"{workspace.url}/files/{file['id']}/{file['name']}"
    whole = {
        **file,
        "complete": True,
        "created": int(time.time()),
        "title": given.get("title") or file["name"],
        "mimetype": mimetypes.guess_type(file["name"])[0] or "application/octet-stream",
        "filetype": Path(file["name"]).suffix.removeprefix("."),
        "user": workspace.seed.bot_user_id,
        "mode": "hosted",
        "url_private": address,
        "url_private_download": address,
        "permalink": address,
    }
    workspace.storage.put_record("file", file["id"], whole)
    return _public(whole)


def _public(file: Json) -> Json:
    return {name: value for name, value in file.items() if name not in ("key", "complete")}
