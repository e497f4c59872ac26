"""Who and what is in the workspace, by id; and the shapes in which Slack describes them."""

from dataclasses import dataclass, replace

from .errors import SlackError
from .manifest import Manifest
from .seed import Channel, ChannelKind, Person, Seed, UserGroup
from .storage import Storage
from .wire import Json

MEMBERS = "members"
"""The kind of record that keeps who is in a channel, once that differs from the seed."""


@dataclass(frozen=True)
class Directory:
    """The people and channels of the seed, the bot, and one direct message between the bot and each person."""

    seed: Seed
    people: dict[str, Person]
    channels: dict[str, Channel]

    @classmethod
    def of(cls, seed: Seed, manifest: Manifest) -> "Directory":
        """The directory of a seed with the manifest's bot in it."""
        bot = Person(
            seed.bot_user_id, manifest.name.lower().replace(" ", "-"), manifest.name, color="1f2a44", is_bot=True
        )
        direct = [_direct_message(person, seed) for person in seed.people if not person.is_bot and not person.team_id]
        return cls(
            seed,
            {person.id: person for person in (*seed.people, bot)},
            {channel.id: channel for channel in (*seed.channels, *direct)},
        )

    @property
    def bot(self) -> Person:
        """The app's bot user."""
        return self.people[self.seed.bot_user_id]

    @property
    def usergroups(self) -> dict[str, UserGroup]:
        """The user groups by id."""
        return {group.id: group for group in self.seed.usergroups}

    def team_of(self, user_id: str) -> str:
        """The team that a person belongs to: this one, or another for people who came in by Slack Connect."""
        person = self.people.get(user_id)
        return (person.team_id if person else "") or self.seed.team_id

    def set_members(self, channel_id: str, members: tuple[str, ...]) -> Channel:
        """Let a channel have these members from now on."""
        self.channels[channel_id] = replace(self.channels[channel_id], members=members)
        return self.channels[channel_id]

    def remember(self, storage: Storage) -> None:
        """Let every channel have the members that it had when the workspace was last open."""
        for channel_id in list(self.channels):
            kept = storage.record(MEMBERS, channel_id)
            if kept is not None:
                self.set_members(channel_id, tuple(member for member in kept["members"] if member in self.people))

    def person(self, user_id: str) -> Person:
        """The person of that id; raises `user_not_found`."""
        if user_id not in self.people:
            raise SlackError("user_not_found")
        return self.people[user_id]

    def channel(self, name: str) -> Channel:
        """The channel of an id, a "#name", a name, or a person's id (their direct message)."""
        if name in self.people:
            return self.direct_message(name)
        bare = name.removeprefix("#")
        for channel in self.channels.values():
            if channel.id == name or (channel.name == bare and channel.kind is not ChannelKind.DIRECT):
                return channel
        raise SlackError("channel_not_found")

    def direct_message(self, user_id: str) -> Channel:
        """The direct message between the bot and a person."""
        for channel in self.channels.values():
            if channel.with_user == user_id:
                return channel
        raise SlackError("channel_not_found")

    def seen_by_bot(self, name: str) -> Channel:
        """A channel that the bot may know of: raises `channel_not_found` for private ones that it is not in."""
        channel = self.channel(name)
        if channel.kind is ChannelKind.PRIVATE and self.bot.id not in channel.members:
            raise SlackError("channel_not_found")
        return channel

    def writable_by_bot(self, name: str) -> Channel:
        """A channel that the bot may post to: raises `not_in_channel` where it is not a member."""
        channel = self.seen_by_bot(name)
        if self.bot.id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def of_member(self, user_id: str) -> list[Channel]:
        """The channels that a person is in, in the order of the seed."""
        return [channel for channel in self.channels.values() if user_id in channel.members]

    def user_object(self, person: Person) -> Json:
        """A user as `users.info` gives it.

        Source: https://docs.slack.dev/reference/objects/user-object
        """
        return {
            "id": person.id,
            "team_id": self.team_of(person.id),
            "name": person.name,
            "deleted": person.deleted,
            "color": person.color,
            "real_name": person.real_name,
            "tz": "Etc/UTC",
            "tz_label": "Coordinated Universal Time",
            "tz_offset": 0,
            "profile": {
                "title": person.title,
                "real_name": person.real_name,
                "display_name": person.name,
                "team": self.team_of(person.id),
            },
            "is_admin": False,
            "is_owner": False,
            "is_restricted": person.is_restricted,
            "is_ultra_restricted": person.is_ultra_restricted,
            "is_stranger": self._is_stranger(person),
            "is_bot": person.is_bot,
            "is_app_user": False,
            "updated": 0,
        }

    def _is_stranger(self, person: Person) -> bool:
        """Of another team, and in no channel with the bot: Slack then tells an app next to nothing about them."""
        together = any({person.id, self.bot.id} <= set(channel.members) for channel in self.channels.values())
        return self.team_of(person.id) != self.seed.team_id and not together

    def usergroup_object(self, group: UserGroup) -> Json:
        """A user group as `usergroups.list` gives it.

        Source: https://docs.slack.dev/reference/objects/usergroup-object
        """
        return {
            "id": group.id,
            "team_id": self.seed.team_id,
            "is_usergroup": True,
            "name": group.name,
            "description": group.description,
            "handle": group.handle,
            "is_external": False,
            "date_create": 0,
            "date_update": 0,
            "date_delete": 0,
            "auto_type": None,
            "prefs": {"channels": [], "groups": []},
            "user_count": len(group.users),
        }

    def channel_object(self, channel: Channel) -> Json:
        """A conversation as `conversations.info` gives it.

        Source: https://docs.slack.dev/reference/objects/conversation-object
        """
        shared: Json = {
            "id": channel.id,
            "created": 0,
            "is_archived": False,
            "is_im": channel.kind is ChannelKind.DIRECT,
            "is_mpim": False,
            "is_org_shared": False,
            "context_team_id": self.seed.team_id,
        }
        if channel.kind is ChannelKind.DIRECT:
            return {**shared, "user": channel.with_user, "is_open": True}
        return {
            **shared,
            "name": channel.name,
            "name_normalized": channel.name,
            "is_channel": channel.kind is ChannelKind.PUBLIC,
            "is_group": channel.kind is ChannelKind.PRIVATE,
            "is_private": channel.kind is ChannelKind.PRIVATE,
            "is_general": channel.name == "general",
            "is_member": self.bot.id in channel.members,
            "is_shared": bool(channel.shared_with),
            "is_ext_shared": bool(channel.shared_with),
            "shared_team_ids": [self.seed.team_id, *channel.shared_with],
            "topic": {"value": channel.topic, "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
            "num_members": len(channel.members),
        }


def _direct_message(person: Person, seed: Seed) -> Channel:
    return Channel(
        id=f"D{person.id[1:]}",
        name="directmessage",
        kind=ChannelKind.DIRECT,
        members=(person.id, seed.bot_user_id),
        with_user=person.id,
    )
