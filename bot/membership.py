"""Whether the bot may write in a channel, asked of Slack before it promises to."""

from slack_sdk.errors import SlackApiError

from bot import posting
from bot.services import Services
from store.errors import BadInput


async def require_membership(services: Services, channel_id: str) -> None:
    """Let pass only where the bot can write; learns on the way whether the channel is private.

    Raises:
        BadInput: it cannot; the message says what to do.
    """
    try:
        found = await services.slack.conversations_info(channel=channel_id)
    except SlackApiError as error:
        raise BadInput(f"I can't read that conversation ({posting.error_of(error)}). Invite me to it first.") from error
    channel = found.get("channel") or {}
    if not channel.get("is_im") and not channel.get("is_member"):
        raise BadInput("I am not in that channel, so I can't answer there. Invite me first: `/invite @nightschool`.")
    # It counts as private unless everyone of the workspace, and nobody else, can read it anyway.
    services.channels[channel_id] = bool(
        channel.get("is_private") or channel.get("is_im") or channel.get("is_ext_shared")
    )
