"""`chat.startStream` and what follows it. Source: https://docs.slack.dev/reference/methods/chat.startStream."""

import asyncio
import time

from .. import events, messages
from ..block_kit import check
from ..errors import SlackError
from ..messages import Draft
from ..seed import Channel
from ..sessions import SESSION_STATUSES
from ..streams import Stream
from ..wire import Json
from ..workspace import Workspace
from .agents import set_session_status
from .call import Call

FLUSH_S = 0.05
DISPLAY_MODES = ("timeline", "plan")


async def start(call: Call) -> Json:
    """Post an empty message that text is then appended to."""
    workspace = call.workspace
    channel = call.writable_channel()
    root = messages.thread_of(workspace, channel, call.arguments.text("thread_ts"))
    _require_recipient(call, channel, root)
    mode = call.arguments.text("task_display_mode") or "timeline"
    if mode not in DISPLAY_MODES:
        raise SlackError("invalid_arguments")
    chunks = _chunks(call)
    author = messages.by_app(workspace)
    content = {"text": "", "blocks": [], "streaming_state": "in_progress"}
    message = messages.post(workspace, author, Draft(channel, content, root))
    stream = workspace.streams.start(message, mode == "plan", workspace.faults.take_stream())
    workspace.courier.background(_expire(workspace, stream))
    _append(workspace, stream, chunks)
    return {"channel": channel.id, "ts": message["ts"]}


async def append(call: Call) -> Json:
    """Append text or chunks; the page sees them within `FLUSH_S` seconds."""
    stream = _running(call)
    chunks = _chunks(call)
    if not chunks:
        raise SlackError("no_text")
    if stream.appends_left == 0:
        _cut_off(call.workspace, stream)
        raise SlackError("message_not_in_streaming_state")
    if stream.appends_left is not None:
        stream.appends_left -= 1
    _append(call.workspace, stream, chunks)
    return {"channel": stream.message["channel"], "ts": stream.message["ts"]}


async def stop(call: Call) -> Json:
    """End a stream with final text, blocks and metadata."""
    workspace = call.workspace
    stream = _running(call)
    status = call.arguments.text("session_status")
    if status is not None and status not in SESSION_STATUSES:
        raise SlackError("invalid_arguments")
    blocks = call.blocks()
    stream.add(_chunks(call))
    final = {**stream.snapshot(streaming_state="completed"), **call.metadata()}
    final["blocks"] = [*final["blocks"], *blocks]
    workspace.streams.end(stream)
    message = messages.replace(workspace, stream.message, final)
    if status is not None:
        set_session_status(workspace, message["channel"], messages.root_of(message), status)
    return {"channel": message["channel"], "ts": message["ts"], "message": messages.public(message, True)}


def stop_by_user(workspace: Workspace, user_id: str, channel: Channel, thread_ts: str) -> None:
    """A person pressed Stop: the thread's streams keep what they have and take no more."""
    stopped = workspace.streams.of_thread(channel.id, thread_ts)
    for stream in stopped:
        stream.stopped_by_user = True
        _settle(workspace, stream, "stopped")
    timestamps = [stream.message["ts"] for stream in stopped]
    events.session_stopped(workspace, user_id, (channel.id, thread_ts), timestamps)


def _require_recipient(call: Call, channel: Channel, root: str | None) -> None:
    if messages.is_direct(channel):
        if root is None:
            raise SlackError("invalid_thread_ts")
        return
    for name in ("recipient_team_id", "recipient_user_id"):
        if call.arguments.text(name) is None:
            raise SlackError(f"missing_{name}")
    call.workspace.directory.person(call.arguments.need("recipient_user_id"))


def _running(call: Call) -> Stream:
    channel = call.writable_channel()
    message = messages.find(call.workspace, channel, call.arguments.need("ts"))
    return call.workspace.streams.running(channel.id, message["ts"])


def _chunks(call: Call) -> list[Json]:
    chunks = call.arguments.objects("chunks", "invalid_chunks")
    problems = check.chunks(chunks)
    if problems:
        raise SlackError("invalid_chunks", response_metadata={"messages": problems})
    markdown = call.arguments.text("markdown_text")
    if markdown is not None:
        return [{"type": "markdown_text", "text": markdown}, *chunks]
    return chunks


def _append(workspace: Workspace, stream: Stream, chunks: list[Json]) -> None:
    stream.add(chunks)
    # Many appends become one look at the page and one write: appending stays cheap however fast a model writes. The
    # first text is shown without delay.
    if chunks and not stream.flush_planned:
        stream.flush_planned = True
        workspace.courier.background(_flush(workspace, stream))
    messages.clear_status(workspace, stream.message)


async def _flush(workspace: Workspace, stream: Stream) -> None:
    clock = asyncio.get_running_loop().time
    await asyncio.sleep(stream.next_flush - clock())
    stream.flush_planned = False
    stream.next_flush = clock() + FLUSH_S
    if workspace.streams.is_running(stream) and not stream.stopped_by_user:
        message = stream.snapshot()
        workspace.storage.put_message(message)
        messages.show(workspace, "stream", message)


async def _expire(workspace: Workspace, stream: Stream) -> None:
    await asyncio.sleep(stream.deadline - time.monotonic())
    if workspace.streams.is_running(stream):
        _cut_off(workspace, stream)


def _cut_off(workspace: Workspace, stream: Stream) -> None:
    workspace.streams.end(stream)
    if not stream.stopped_by_user:
        _settle(workspace, stream, "errored")


def _settle(workspace: Workspace, stream: Stream, state: str) -> None:
    messages.replace(workspace, stream.message, stream.snapshot(streaming_state=state))
