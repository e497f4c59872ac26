"""Everything that the bot says in Slack goes through here: no previews, no pings, and each post findable again.

`chat.postMessage` has no idempotency key. So every post carries its key in the message's metadata, and before
anything is posted a second time after a crash we look whether it stands there already
(https://docs.slack.dev/messaging/message-metadata).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.content import Content
from bot.services import Services
from store import answers

log = logging.getLogger(__name__)

NOTE = "nightschool_note"
ANSWER = "nightschool_answer"
LOOK_BACK = 100
GONE = {"message_not_found", "cant_update_message", "cant_delete_message", "channel_not_found", "thread_not_found"}
UNREACHABLE = {*GONE, "not_in_channel", "is_archived", "user_not_found", "cannot_dm_bot"}
"""Slack's words for a place where nothing can be posted, now or later."""


@dataclass(frozen=True)
class Place:
    """Where a message goes: a channel and, in it, a thread."""

    channel_id: str
    thread_ts: str = ""


@dataclass(frozen=True)
class Picture:
    """A PNG with its title, by which it is found again, and words for those who cannot see it."""

    title: str
    alt: str
    content: bytes


def answer_metadata(answer_id: int) -> dict[str, Any]:
    """What marks a message as this answer."""
    return {"event_type": ANSWER, "event_payload": {"answer_id": answer_id}}


def note_metadata(key: str) -> dict[str, Any]:
    """What marks a message as the one with this key."""
    return {"event_type": NOTE, "event_payload": {"key": key}}


async def post(slack: AsyncWebClient, place: Place, content: Content, metadata: dict[str, Any]) -> str:
    """Post a message; its ts."""
    posted = await slack.chat_postMessage(
        channel=place.channel_id,
        thread_ts=place.thread_ts or None,
        text=content.text,
        blocks=content.blocks,
        metadata=metadata,
        unfurl_links=False,
        unfurl_media=False,
        parse="none",
    )
    return str(posted["ts"])


async def post_once(services: Services, place: Place, content: Content, key: str, *, again: bool) -> str:
    """Post a message with a key; with `again`, only if it does not stand there already. Its ts."""
    if again and (found := await find_note(services, place, key)):
        return found
    return await post(services.slack, place, content, note_metadata(key))


async def update(services: Services, channel_id: str, ts: str, content: Content, metadata: dict[str, Any]) -> bool:
    """Replace what a message of ours shows; False when it is not there any more."""
    try:
        await services.slack.chat_update(
            channel=channel_id,
            ts=ts,
            text=content.text,
            blocks=content.blocks,
            metadata=metadata,
            parse="none",
        )
    except SlackApiError as error:
        if error_of(error) in GONE:
            return False
        raise
    return True


async def end_stream(services: Services, channel_id: str, ts: str) -> None:
    """End the stream of a message, so that it can be updated; nothing happens when it has none (any more)."""
    try:
        await services.slack.chat_stopStream(channel=channel_id, ts=ts)
    except SlackApiError as error:
        log.debug("message %s in %s streams no more: %s", ts, channel_id, error_of(error))


async def delete(services: Services, channel_id: str, ts: str) -> None:
    """Delete a message of ours, if it is still there."""
    try:
        await services.slack.chat_delete(channel=channel_id, ts=ts)
    except SlackApiError as error:
        if error_of(error) not in GONE:
            raise


async def delete_all(services: Services, channel_id: str, timestamps: Sequence[str]) -> None:
    """Delete messages of ours, as far as they are still there."""
    for ts in timestamps:
        await delete(services, channel_id, ts)


async def whisper(services: Services, place: Place, person_id: str, content: Content) -> None:
    """Say something that only one person sees."""
    await services.slack.chat_postEphemeral(
        channel=place.channel_id,
        thread_ts=place.thread_ts or None,
        user=person_id,
        text=content.text,
        blocks=content.blocks,
        parse="none",
    )


async def permalink(services: Services, place: Place) -> str:
    """The address of a thread's first message; empty when Slack gives none."""
    try:
        found = await services.slack.chat_getPermalink(channel=place.channel_id, message_ts=place.thread_ts)
    except SlackApiError as error:
        log.info("no link to %s in %s: %s", place.thread_ts, place.channel_id, error_of(error))
        return ""
    return str(found["permalink"])


async def find_note(services: Services, place: Place, key: str) -> str | None:
    """The ts of our message with this key, if it stands in the channel or thread."""
    for message in await _recent(services, place):
        metadata = message.get("metadata") or {}
        if metadata.get("event_type") == NOTE and (metadata.get("event_payload") or {}).get("key") == key:
            return str(message["ts"])
    return None


async def post_picture(services: Services, place: Place, picture: Picture, *, again: bool) -> None:
    """Upload a picture; with `again`, only if one with its title does not stand there already."""
    if again and await _has_file(services, place, picture.title):
        return
    await services.slack.files_upload_v2(
        channel=place.channel_id,
        thread_ts=place.thread_ts or None,
        filename=picture.title,
        title=picture.title,
        alt_txt=picture.alt,
        content=picture.content,
    )


async def _has_file(services: Services, place: Place, title: str) -> bool:
    recent = await _recent(services, place)
    return any(file.get("title") == title for message in recent for file in message.get("files") or [])


async def find_answer(services: Services, place: Place, answer_id: int) -> str | None:
    """The ts of the message of this answer, also of a stream that a crash has cut off before it was marked."""
    bot = await services.bot()
    mine = [message for message in await _recent(services, place) if message.get("user") == bot.user_id]
    for message in mine:
        payload = (message.get("metadata") or {}).get("event_payload") or {}
        if payload.get("answer_id") == answer_id:
            return str(message["ts"])
    unmarked = [str(message["ts"]) for message in mine if not message.get("metadata")]
    known = await services.store.read(answers.known_messages, place.channel_id, unmarked)
    cut_off = [ts for ts in unmarked if ts not in known]
    return cut_off[-1] if cut_off else None


async def _recent(services: Services, place: Place) -> list[dict[str, Any]]:
    try:
        if place.thread_ts:
            found = await services.slack.conversations_replies(
                channel=place.channel_id, ts=place.thread_ts, include_all_metadata=True, limit=LOOK_BACK
            )
        else:
            found = await services.slack.conversations_history(
                channel=place.channel_id, include_all_metadata=True, limit=LOOK_BACK
            )
    except SlackApiError as error:
        if error_of(error) in GONE:
            return []
        raise
    return list(found.get("messages") or [])


def error_of(error: SlackApiError) -> str:
    """Slack's word for what went wrong, such as `channel_not_found`."""
    response = error.response
    return str(response.get("error", "")) if hasattr(response, "get") else ""
