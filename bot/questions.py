"""From a Slack message to a question in plain words, or to a friendly sentence why it is none."""

import re
from typing import Any

from bot.inbox import post_key
from store.settings import Settings
from store.tickets import Question
from store.words import Surface, Visibility

BYTES_PER_TOKEN = 3
"""Chosen low: English has about four bytes a token, other scripts fewer. Too many tokens are refused by vLLM."""

_ENTITY = re.compile(r"<([@#!]?)([^<>|]+)(?:\|([^<>]*))?>")
_EMOJI_NAME = re.compile(r":[a-z0-9_+\-']+(?:::skin-tone-\d)?:", re.IGNORECASE)

HOW_TO_ASK = (
    "Hello! Ask me in a sentence, for example: “How do I reset my VPN password?” "
    "Mention me in a channel, write to me here, or type `/ask` followed by your question."
)
ONLY_EMOJI = "I can't read a question from emoji alone. Tell me in a few words what you need, and I'll try to help."


def plain_text(text: str, bot_user_id: str = "") -> str:
    """Slack's markup as plain text: links and names spelled out, the mention of the bot left out."""

    def spelled(found: re.Match[str]) -> str:
        kind, target, label = found.groups()
        if kind == "@":
            return "" if target == bot_user_id else f"@{label or target}"
        if kind == "#":
            return f"#{label or target}"
        if kind == "!":
            return label or f"@{target.split('^')[0]}"
        return f"{label} ({target})" if label and label != target else target

    spelled_out = _ENTITY.sub(spelled, text)
    unescaped = spelled_out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return unescaped.replace("\x00", "").strip()


def mentions_bot(text: str, bot_user_id: str) -> bool:
    """Whether the bot is mentioned in a message as Slack sent it."""
    return re.search(rf"<@{re.escape(bot_user_id)}(?:\|[^>]*)?>", text) is not None


def mentions_someone_else(text: str, bot_user_id: str) -> bool:
    """Whether a message as Slack sent it is addressed to another person or a group."""
    return any(person != bot_user_id for person in re.findall(r"<@([A-Z0-9]+)(?:\|[^>]*)?>", text)) or ("<!" in text)


def room_in_tokens(settings: Settings) -> int:
    """How many tokens a thread may have, beside the system prompt and the answer."""
    serving = settings.serving
    return max(64, serving.max_model_len - serving.max_tokens - tokens_in(settings.system_prompt))


def tokens_in(text: str) -> int:
    """About how many tokens a text has, on the high side, with those of the chat template around a turn."""
    return len(text.encode()) // BYTES_PER_TOKEN + 8


def why_not(settings: Settings, text: str) -> str | None:
    """A friendly sentence when a text cannot be answered: empty, only emoji, or too long; else None."""
    if not text.strip():
        return HOW_TO_ASK
    if not any(character.isalnum() for character in _EMOJI_NAME.sub("", text)):
        return ONLY_EMOJI
    room = room_in_tokens(settings)
    if tokens_in(text) > room:
        most = room * BYTES_PER_TOKEN // 100 * 100
        return (
            f"That message has {len(text):,} characters, and I can read about {most:,} at a time. "
            "Please send me the part that matters, or ask one thing after the other."
        )
    return None


def from_event(body: dict[str, Any], bot_user_id: str) -> Question:
    """The question that a message event asks; nothing is checked yet."""
    event = body["event"]
    team_id, channel_id, ts = str(body.get("team_id") or ""), str(event["channel"]), str(event["ts"])
    direct = event.get("channel_type") == "im" or channel_id.startswith("D")
    return Question(
        key=post_key(team_id, channel_id, ts),
        enterprise_id=str(body.get("enterprise_id") or ""),
        team_id=team_id,
        channel_id=channel_id,
        thread_ts=str(event.get("thread_ts") or ts),
        ts=ts,
        person_id=str(event.get("user") or ""),
        text=plain_text(str(event.get("text") or ""), bot_user_id),
        surface=Surface.DIRECT_MESSAGE if direct else Surface.MENTION,
        visibility=visibility_of(channel_id, event.get("channel_type")),
    )


def visibility_of(channel_id: str, channel_type: str | None) -> Visibility:
    """Who can read a conversation; where Slack does not say, it counts as private until it is known."""
    if channel_type in ("im", "mpim") or channel_id.startswith("D"):
        return Visibility.DIRECT
    return Visibility.PUBLIC if channel_type == "channel" else Visibility.PRIVATE
