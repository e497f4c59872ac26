"""Telling one person a sentence about what they just did, wherever in Slack they did it."""

import logging
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError

from bot import posting
from bot.blocks.content import Content
from bot.blocks.errors import sentence_modal
from bot.posting import Place
from bot.services import Services

log = logging.getLogger(__name__)


async def tell(services: Services, body: dict[str, Any], sentence: str) -> None:
    """Say a sentence to the person who acted: under the message, or in a modal where there is no message."""
    container = body.get("container") or {}
    person_id = str((body.get("user") or {}).get("id") or body.get("user_id") or "")
    channel_id = str(container.get("channel_id") or (body.get("channel") or {}).get("id") or "")
    try:
        if channel_id:
            place = Place(channel_id, str(container.get("thread_ts") or ""))
            await posting.whisper(services, place, person_id, Content(sentence))
        elif not await _open_modal(services, str(body.get("trigger_id") or ""), sentence):
            await message_person(services, person_id, sentence)
    except (SlackApiError, ClientError, TimeoutError) as error:
        log.warning("%s could not be told %r: %s", person_id, sentence, error)


async def _open_modal(services: Services, trigger_id: str, sentence: str) -> bool:
    """Whether the sentence could be shown in a modal: a trigger id opens one, once, within three seconds."""
    if not trigger_id:
        return False
    try:
        await services.slack.views_open(trigger_id=trigger_id, view=sentence_modal(sentence))
    except SlackApiError as error:
        log.info("no modal for %r: %s", sentence, posting.error_of(error))
        return False
    return True


async def whisper(services: Services, place: Place, person_id: str, content: Content) -> None:
    """Say something that only one person sees, if they can be reached: what they did is done either way."""
    try:
        await posting.whisper(services, place, person_id, content)
    except (SlackApiError, ClientError, TimeoutError) as error:
        log.warning("%s could not be told %r: %s", person_id, content.text, error)


async def message_person(services: Services, person_id: str, sentence: str) -> None:
    """Write a sentence to a person in their direct message with the bot."""
    opened = await services.slack.conversations_open(users=person_id)
    channel_id = str(opened["channel"]["id"])
    await services.slack.chat_postMessage(
        channel=channel_id, text=sentence, unfurl_links=False, unfurl_media=False, parse="none"
    )
