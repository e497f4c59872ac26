"""The app's Slack manifest: what the app is called, may do and wants to hear of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .errors import BadConfiguration
from .wire import Json

DESCRIPTION_LIMIT = 300
PROMPTS_LIMIT = 4
SHORTCUTS_LIMIT = 10


@dataclass(frozen=True)
class Manifest:
    """The parts of a manifest that decide how the workspace treats the app.

    Source: https://docs.slack.dev/reference/app-manifest
    """

    name: str
    description: str
    is_agent: bool
    home_tab: bool
    suggested_prompts: list[Json]
    commands: list[Json]
    shortcuts: list[Json]
    scopes: frozenset[str]
    events: frozenset[str]

    def shortcut(self, callback_id: str) -> Json | None:
        """The shortcut of that callback id, if the app has it."""
        return next((each for each in self.shortcuts if each["callback_id"] == callback_id), None)


def read_yaml(path: Path) -> Any:
    """The content of a YAML or JSON file; raises BadConfiguration when there is none."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as wrong:
        raise BadConfiguration(f"{path} cannot be read: {wrong}") from wrong


def load_manifest(path: Path) -> Manifest:
    """The manifest in a YAML or JSON file; raises BadConfiguration when Slack would refuse it."""
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise BadConfiguration(f"{path} is not a Slack manifest: it holds no mapping.")
    manifest = parse_manifest(data)
    _check_limits(manifest)
    return manifest


def parse_manifest(data: Json) -> Manifest:
    """The manifest in an already decoded document."""
    features = _part(data, "features")
    agent = _part(features, "agent_view")
    bot_name = _part(features, "bot_user").get("display_name")
    return Manifest(
        name=str(bot_name or _part(data, "display_information").get("name", "App")),
        description=str(agent.get("agent_description") or _part(data, "display_information").get("description", "")),
        is_agent="agent_view" in features,
        home_tab=bool(_part(features, "app_home").get("home_tab_enabled")),
        suggested_prompts=list(agent.get("suggested_prompts", [])),
        commands=list(features.get("slash_commands", [])),
        shortcuts=list(features.get("shortcuts", [])),
        scopes=frozenset(_part(_part(data, "oauth_config"), "scopes").get("bot", [])),
        events=frozenset(_part(_part(data, "settings"), "event_subscriptions").get("bot_events", [])),
    )


def _part(data: Json, name: str) -> Json:
    value: Any = data.get(name) or {}
    if not isinstance(value, dict):
        raise BadConfiguration(f"The manifest's {name} must be a mapping.")
    return value


def _check_limits(manifest: Manifest) -> None:
    if len(manifest.description) > DESCRIPTION_LIMIT:
        raise BadConfiguration(f"The manifest's agent_description is longer than {DESCRIPTION_LIMIT} characters.")
    if len(manifest.suggested_prompts) > PROMPTS_LIMIT:
        raise BadConfiguration(f"The manifest has more than {PROMPTS_LIMIT} suggested prompts.")
    if len(manifest.shortcuts) > SHORTCUTS_LIMIT:
        raise BadConfiguration(f"The manifest has more than {SHORTCUTS_LIMIT} shortcuts.")
