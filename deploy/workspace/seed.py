"""The seed: the team, its people and its channels, as they are when a workspace is first opened."""

from dataclasses import dataclass
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
    """Someone whom the workspace knows: a member, a guest, somebody of another team, a bot.

    A guest is `is_restricted` (some channels) or `is_ultra_restricted` (one channel); who was `deleted` can do nothing.
    `team_id` is empty for the people of this team; others come in by Slack Connect.
    """

    id: str
    name: str
    real_name: str
    title: str = ""
    color: str = "4a154b"
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    deleted: bool = False
    team_id: str = ""


@dataclass(frozen=True)
class Channel:
    """A conversation; `with_user` is who a direct message with the bot belongs to, `shared_with` are other teams."""

    id: str
    name: str
    kind: ChannelKind = ChannelKind.PUBLIC
    topic: str = ""
    members: tuple[str, ...] = ()
    with_user: str | None = None
    shared_with: tuple[str, ...] = ()


@dataclass(frozen=True)
class UserGroup:
    """Several people who can be called by one handle, such as @on-call."""

    id: str
    handle: str
    name: str
    description: str = ""
    users: tuple[str, ...] = ()


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
    channels: tuple[Channel, ...] = ()
    usergroups: tuple[UserGroup, ...] = ()


def load_seed(path: Path) -> Seed:
    """The seed in a YAML file; raises BadConfiguration when a part is missing or names an unknown person."""
    try:
        seed = _parse(read_yaml(path))
    except (KeyError, TypeError, ValueError) as wrong:
        raise BadConfiguration(f"{path} is not a seed for the workspace: {wrong!r}") from wrong
    known = {person.id for person in seed.people} | {seed.bot_user_id}
    named = [(f"#{channel.name}", channel.members) for channel in seed.channels]
    named += [(f"@{group.handle}", group.users) for group in seed.usergroups]
    for name, members in named:
        unknown = set(members) - known
        if unknown:
            raise BadConfiguration(f"{path}: {name} has members that are nobody: {', '.join(sorted(unknown))}")
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
        usergroups=tuple(_usergroup(group) for group in data.get("usergroups", [])),
    )


def _channel(data: Json) -> Channel:
    kind = ChannelKind.PRIVATE if data.get("private") else ChannelKind.PUBLIC
    shared_with = tuple(data.get("shared_with", []))
    return Channel(
        data["id"], data["name"], kind, data.get("topic", ""), tuple(data["members"]), shared_with=shared_with
    )


def _usergroup(data: Json) -> UserGroup:
    return UserGroup(**{**data, "users": tuple(data["users"])})
