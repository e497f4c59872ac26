"""The seed: the team, its people and its channels, as they are when a workspace is first opened."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from .errors import BadConfiguration
from .manifest import read_yaml
from .wire import Json


class ChannelKind(StrEnum):
    """What a conversation is; the value is the `channel_type` of Slack's message events."""

    PUBLIC = "channel"
    PRIVATE = "group"
    DIRECT = "im"


@dataclass(frozen=True)
class Person:
    """A member of the workspace, the bot included."""

    id: str
    name: str
    real_name: str
    title: str = ""
    color: str = "4a154b"
    is_bot: bool = False


@dataclass(frozen=True)
class Channel:
    """A conversation; `with_user` is the person of a direct message with the bot."""

    id: str
    name: str
    kind: ChannelKind = ChannelKind.PUBLIC
    topic: str = ""
    members: tuple[str, ...] = ()
    with_user: str | None = None


@dataclass(frozen=True)
class Seed:
    """Everything that exists before anyone speaks; the ids of the app are part of it."""

    team_id: str
    team_name: str
    app_id: str
    bot_user_id: str
    bot_id: str
    welcome: str = ""
    people: tuple[Person, ...] = ()
    channels: tuple[Channel, ...] = field(default=())


def load_seed(path: Path) -> Seed:
    """The seed in a YAML file; raises BadConfiguration when a part is missing or names an unknown person."""
    try:
        seed = _parse(read_yaml(path))
    except (KeyError, TypeError, ValueError) as wrong:
        raise BadConfiguration(f"{path} is not a seed for the workspace: {wrong!r}") from wrong
    known = {person.id for person in seed.people} | {seed.bot_user_id}
    for channel in seed.channels:
        unknown = set(channel.members) - known
        if unknown:
            raise BadConfiguration(f"{path}: #{channel.name} has members that are nobody: {', '.join(sorted(unknown))}")
    return seed


def _parse(data: Json) -> Seed:
    return Seed(
        team_id=data["team"]["id"],
        team_name=data["team"]["name"],
        app_id=data["app"]["id"],
        bot_user_id=data["app"]["bot_user_id"],
        bot_id=data["app"]["bot_id"],
        welcome=data.get("welcome", ""),
        people=tuple(Person(**person) for person in data["people"]),
        channels=tuple(_channel(channel) for channel in data["channels"]),
    )


def _channel(data: Json) -> Channel:
    kind = ChannelKind.PRIVATE if data.get("private") else ChannelKind.PUBLIC
    return Channel(data["id"], data["name"], kind, data.get("topic", ""), tuple(data["members"]))
