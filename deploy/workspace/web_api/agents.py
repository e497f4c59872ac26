"""`agents.sessions.*` and `assistant.threads.*`: what the app says about a thread beside its messages.

Source: https://docs.slack.dev/reference/methods/agents.sessions.setStatus
"""

from .. import messages
from ..errors import SlackError, invalid_arguments
from ..sessions import SESSION_STATUSES
from ..wire import Json
from ..workspace import Workspace
from .call import Call

TITLE_LIMIT = 200
PROMPTS_LIMIT = 4
LOADING_LIMIT = 10


async def set_status(call: Call) -> Json:
    """`assistant.threads.setStatus`: the line that tells people what the app is doing."""
    channel = call.writable_channel("channel_id")
    thread_ts = call.arguments.need("thread_ts")
    messages.find(call.workspace, channel, thread_ts)
    loading = call.arguments.texts("loading_messages")
    if len(loading) > LOADING_LIMIT:
        raise invalid_arguments(f"no more than {LOADING_LIMIT} items allowed [json-pointer:/loading_messages]")
    messages.set_status(call.workspace, channel.id, thread_ts, call.arguments.text("status") or "", loading)
    return {}


async def set_title(call: Call) -> Json:
    """`assistant.threads.setTitle`."""
    return await rename_session(call)


async def set_suggested_prompts(call: Call) -> Json:
    """`assistant.threads.setSuggestedPrompts`: up to four things to ask, shown in the direct message."""
    channel = call.writable_channel("channel_id")
    prompts = call.arguments.objects("prompts")
    if not 1 <= len(prompts) <= PROMPTS_LIMIT:
        raise invalid_arguments(f"prompts must have 1 to {PROMPTS_LIMIT} items [json-pointer:/prompts]")
    if not all(each.get("title") and each.get("message") for each in prompts):
        raise invalid_arguments("each prompt needs a title and a message [json-pointer:/prompts]")
    shown = {"title": call.arguments.text("title") or "", "prompts": prompts}
    call.workspace.storage.put_record("prompts", channel.id, shown)
    call.workspace.feed.publish({"type": "prompts", "channel": channel.id, **shown}, channel.members)
    return {}


async def set_session(call: Call) -> Json:
    """`agents.sessions.setStatus`: whether the agent works in a thread; while it does, the page shows Stop."""
    if not call.workspace.manifest.is_agent:
        raise SlackError("not_an_agent")
    channel = call.writable_channel("channel_id")
    thread_ts = call.arguments.need("thread_ts")
    messages.find(call.workspace, channel, thread_ts)
    status = call.arguments.need("status")
    if status not in SESSION_STATUSES:
        raise invalid_arguments(f"must be one of: {', '.join(SESSION_STATUSES)} [json-pointer:/status]")
    state = call.workspace.sessions.thread(channel.id, thread_ts)
    if not state.session_status:
        state.title = _title(call.arguments.text("title") or "")
    set_session_status(call.workspace, channel.id, thread_ts, status)
    answer: Json = {"status": status, "agent_status": status, "title": state.title}
    if "agent_session_stopped" not in call.workspace.manifest.events:
        warning = "missing_agent_session_stopped_event_subscription"
        answer |= {"warning": warning, "response_metadata": {"warnings": [warning]}}
    return answer


async def rename_session(call: Call) -> Json:
    """`agents.sessions.rename`."""
    channel = call.writable_channel("channel_id")
    thread_ts = call.arguments.need("thread_ts")
    state = call.workspace.sessions.thread(channel.id, thread_ts)
    state.title = _title(call.arguments.need("title"))
    return {"title": state.title}


def set_session_status(workspace: Workspace, channel: str, thread_ts: str, status: str) -> None:
    """Store and show the status of a thread's session."""
    workspace.sessions.thread(channel, thread_ts).session_status = status
    event = {"type": "session", "channel": channel, "thread_ts": thread_ts, "status": status}
    workspace.feed.publish(event, workspace.directory.channel(channel).members)


def _title(title: str) -> str:
    if len(title) > TITLE_LIMIT:
        raise invalid_arguments(f"must be less than {TITLE_LIMIT + 1} characters [json-pointer:/title]")
    return title
