"""Channels with settings of their own, and who holds which role, in the admins' part of the Home tab."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from bot.blocks.content import context, header, percent, section
from bot.safe_text import plain_label
from store.tables import Channel, DutyGrant
from store.words import Answering, Duty

CHOOSE_CHANNEL_ACTION = "choose_channel"
CHANGE_CHANNEL_ACTION = "change_channel"
CHANGE_ROLE_ACTION = "change_role"
CHANNELS_SHOWN = 6
PEOPLE_SHOWN = 20

ANSWERING_LABELS = {
    Answering.OFF: "answers nothing",
    Answering.MENTIONS: "answers when mentioned",
    Answering.QUESTIONS: "answers every question",
}


@dataclass(frozen=True)
class Places:
    """The channels that differ from the default, the people that the settings name, and those named in Slack."""

    channels: Sequence[Channel] = ()
    admins: Sequence[str] = ()
    reviewers: Sequence[str] = ()
    grants: Sequence[DutyGrant] = field(default_factory=tuple)


def place_blocks(places: Places) -> list[Block]:
    """Both lists with their buttons."""
    return [*_channels(places.channels), *_roles(places)]


def _channels(channels: Sequence[Channel]) -> list[Block]:
    blocks: list[Block] = [header("Channels")]
    for channel in channels[:CHANNELS_SHOWN]:
        button = ButtonElement(text="Change", action_id=CHANGE_CHANNEL_ACTION, value=channel.channel_id)
        blocks.append(section(f"<#{channel.channel_id}> · {channel_words(channel)}", button))
    rest = len(channels) - CHANNELS_SHOWN
    others = f"{rest} more channels have settings of their own; choose them below." if rest > 0 else ""
    default = "Every other channel: I answer when mentioned, use the documents, and learn what reviewers accept."
    blocks.append(context(f"{others} {default}".strip()))
    button = ButtonElement(text="Set up a channel", action_id=CHOOSE_CHANNEL_ACTION, value="new")
    return [*blocks, ActionsBlock(elements=[button])]


def channel_words(channel: Channel) -> str:
    """What is set for a channel, in one line."""
    parts = [ANSWERING_LABELS[channel.answering]]
    if channel.min_confidence > 0:
        parts.append(f"not sure below {percent(channel.min_confidence)}")
    if not channel.documents:
        parts.append("no documents")
    if channel.documents_only:
        parts.append("answers from documents alone")
    if not channel.trainable:
        parts.append("nothing is learnt")
    if channel.persona:
        parts.append(f"“{plain_label(channel.persona, 60)}”")
    if channel.on_call:
        parts.append(f"on call: {called(channel.on_call)}")
    return " · ".join(parts)


def called(on_call: str) -> str:
    """A person or user group by its id, in `mrkdwn`."""
    return f"<!subteam^{on_call}>" if on_call.startswith("S") else f"<@{on_call}>"


def _roles(places: Places) -> list[Block]:
    button = ButtonElement(text="Change a role", action_id=CHANGE_ROLE_ACTION, value="now")
    return [
        header("Roles"),
        section(f"*Admins:* {_people(places, Duty.ADMIN)}\n*Reviewers:* {_people(places, Duty.REVIEWER)}"),
        ActionsBlock(elements=[button]),
    ]


def _people(places: Places, duty: Duty) -> str:
    named = places.admins if duty == Duty.ADMIN else places.reviewers
    people = [f"<@{person}> (in the settings file)" for person in named]
    people += [
        f"<@{grant.person_id}> (by <@{grant.granted_by}>)"
        for grant in places.grants
        if grant.duty == duty and grant.person_id not in named
    ]
    more = f" and {len(people) - PEOPLE_SHOWN} more" if len(people) > PEOPLE_SHOWN else ""
    return (", ".join(people[:PEOPLE_SHOWN]) or "nobody yet") + more
