"""Switches for tests, over the wire: faults, forged payloads, changed people. Part of the server only when asked for.

All are POSTs of one JSON object to `/test/NAME`, answered by `{"ok": true, …}` or a sentence in `error`:

* `faults`: `calls` is a list of {method, status, retry_after_s, error, delay_s, times}, for the next calls of a
  method; `streams` a list of {appends, seconds}, the lives of the next streams; `stale_triggers` how many of the next
  trigger ids have expired when the app gets them.
* `disconnect`: {reason} asks every socket to come back, as Slack does; without a reason the sockets just close.
* `deliver`: {kind, payload, trigger_for, reply_to} hands the app a payload once and gives its answer, for what no page
  would send; a new trigger id for the person `trigger_for` and a response URL for `reply_to` (user, channel and
  maybe ts) are put into it.
* `event`: {event} hands the app an event in Slack's envelope, and waits until it was acknowledged.
* `person`: {id, …} changes fields of a person, such as `deleted`, and tells the app (`user_change`).
* `delete`: {channel, ts} deletes any message, as a workspace's admin may.
"""

from dataclasses import replace
from typing import Any

from aiohttp import web

from . import events, interactivity, messages
from .delivery import PayloadKind
from .errors import NotDelivered, PageError
from .faults import Fault, StreamLife
from .page_api import WORKSPACE, answer
from .wire import Json


async def faults(request: web.Request) -> web.Response:
    """Let things fail from now on."""
    waiting, body = request.app[WORKSPACE].faults, await request.json()
    for call in body.get("calls", []):
        method, times = call.pop("method"), call.pop("times", 1)
        waiting.add(method, *[Fault(**call)] * times)
    for life in body.get("streams", []):
        waiting.shorten_stream(StreamLife(**life))
    waiting.stale_triggers += int(body.get("stale_triggers", 0))
    return answer({})


async def disconnect(request: web.Request) -> web.Response:
    """Close the app's sockets, with a word before or without."""
    sockets, body = request.app[WORKSPACE].sockets, await request.json()
    if reason := body.get("reason"):
        await sockets.disconnect(str(reason))
    else:
        await sockets.close()
    return answer({})


async def deliver(request: web.Request) -> web.Response:
    """Hand the app a payload that no page would send."""
    workspace, body = request.app[WORKSPACE], await request.json()
    payload: Json = body["payload"]
    if "trigger_for" in body:
        payload["trigger_id"] = workspace.triggers.new(body["trigger_for"], (payload.get("view") or {}).get("id"))
    if reply_to := body.get("reply_to"):
        key = workspace.response_urls.new(reply_to["user"], reply_to["channel"], reply_to.get("ts"))
        payload["response_url"] = interactivity.response_url(workspace, key)
    try:
        said = await workspace.courier.ask(PayloadKind(body["kind"]), payload)
    except NotDelivered as missing:
        raise PageError(f"The app did not take it: {missing}") from None
    return answer({"answer": said})


async def event(request: web.Request) -> web.Response:
    """Send the app an event in Slack's envelope."""
    workspace, body = request.app[WORKSPACE], await request.json()
    event: Json = {"event_ts": workspace.clock.next(), **body["event"]}
    try:
        await workspace.courier.ask(PayloadKind.EVENT, events.envelope(workspace, event))
    except NotDelivered as missing:
        raise PageError(f"The app did not take it: {missing}") from None
    return answer({"event_ts": event["event_ts"]})


async def person(request: web.Request) -> web.Response:
    """Change a person."""
    workspace, body = request.app[WORKSPACE], await request.json()
    changes: dict[str, Any] = {name: value for name, value in body.items() if name != "id"}
    workspace.directory.people[body["id"]] = replace(workspace.directory.person(body["id"]), **changes)
    events.user_changed(workspace, body["id"])
    return answer({})


async def delete(request: web.Request) -> web.Response:
    """Delete a message, whoever wrote it."""
    workspace, body = request.app[WORKSPACE], await request.json()
    channel = workspace.directory.channel(body["channel"])
    messages.delete(workspace, messages.find(workspace, channel, body["ts"]))
    return answer({})


ROUTES = [
    web.post(f"/test/{handler.__name__}", handler) for handler in (faults, disconnect, deliver, event, person, delete)
]
