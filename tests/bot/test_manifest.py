"""The Slack manifest asks for exactly what the code uses: scopes, events, commands, shortcuts."""

import ast
from collections.abc import Iterator
from pathlib import Path

from deploy.workspace.manifest import Manifest, load_manifest
from deploy.workspace.scopes import PREFIXES, SCOPES
from tests.fixtures_workspace import DEPLOY

BOT = Path(__file__).parents[2] / "bot"

EVERY_KIND = [f"{prefix}:{{}}" for prefix in PREFIXES.values()]
BY_CHANNEL = {"conversations.info": "read", "conversations.history": "history", "conversations.replies": "history"}
"""Methods whose scope depends on the kind of channel, which can be any."""
WITHOUT_SCOPE = {
    "auth.test",
    "apps.connections.open",
    "chat.getPermalink",
    "views.open",
    "views.publish",
    "views.push",
    "views.update",
}
SEVERAL = {"files.upload.v2": ["files.getUploadURLExternal", "files.completeUploadExternal"]}
"""Helpers of the SDK that call other methods."""
EVENT_SCOPES = {
    "agent_session_stopped": [],
    "app_home_opened": [],
    "app_mention": ["app_mentions:read"],
    "app_uninstalled": [],
    "member_joined_channel": ["channels:read", "groups:read"],
    "message.channels": ["channels:history"],
    "message.groups": ["groups:history"],
    "message.im": ["im:history"],
    "reaction_added": ["reactions:read"],
    "reaction_removed": ["reactions:read"],
    "tokens_revoked": [],
    "user_change": ["users:read"],
}
"""As https://docs.slack.dev/reference/events documents them."""
SUBSCRIPTIONS = {"message": ["message.channels", "message.groups", "message.im"]}
FEATURE_SCOPES = {"assistant:write", "commands"}
"""What the agent view, and slash commands and shortcuts, need by themselves."""


def product() -> Manifest:
    return load_manifest(DEPLOY / "slack-manifest.yaml")


def calls() -> Iterator[ast.Call]:
    for file in sorted(BOT.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node


def name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def methods() -> set[str]:
    """The Web API methods that the bot calls, by the names of the SDK's methods on `slack`."""
    called = {call.func.attr for call in calls() if name_of(call.func.value) == "slack"}  # type: ignore[attr-defined]
    dotted = {method.replace("_", ".") for method in called}
    return {each for method in dotted for each in SEVERAL.get(method, [method])}


def registered(kind: str) -> set[str]:
    """What the listeners were registered for by `app.event(…)` and its like; catch-alls are left out."""
    found = set()
    for call in calls():
        if call.func.attr == kind and name_of(call.func.value) == "app":  # type: ignore[attr-defined]
            (wanted,) = call.args
            if isinstance(wanted, ast.Constant):
                found.add(str(wanted.value))
            else:
                assert ast.unparse(wanted) == "re.compile('.*')", ast.unparse(wanted)
    return found


def scopes_of(method: str) -> list[str]:
    if method in BY_CHANNEL:
        return [scope.format(BY_CHANNEL[method]) for scope in EVERY_KIND]
    return [] if method in WITHOUT_SCOPE else [SCOPES[method]]


def test_scopes_are_exactly_those_of_the_methods_and_events_in_use() -> None:
    needed = {scope for method in methods() for scope in scopes_of(method)}
    needed |= {scope for event in product().events for scope in EVENT_SCOPES[event]}
    assert product().scopes == needed | FEATURE_SCOPES


def test_events_are_exactly_those_that_something_listens_to() -> None:
    heard = {each for event in registered("event") for each in SUBSCRIPTIONS.get(event, [event])}
    assert product().events == heard


def test_commands_and_shortcuts_are_exactly_those_that_something_listens_to() -> None:
    assert {command["command"] for command in product().commands} == registered("command")
    assert {shortcut["callback_id"] for shortcut in product().shortcuts} == registered("shortcut")


def test_the_calls_were_found_at_all() -> None:
    assert {"chat.postMessage", "views.publish", "files.getUploadURLExternal", "conversations.open"} <= methods()
