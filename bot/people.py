"""Who somebody in Slack is, as far as it decides whether they are written to."""

from slack_sdk.errors import SlackApiError

from bot import posting
from bot.services import Services

UNKNOWN = {"user_not_found", "user_not_visible"}


async def can_be_told(services: Services, person_id: str) -> bool:
    """Whether a person is there to read a message: neither deactivated nor a bot.

    Raises:
        SlackApiError: Slack does not say.
    """
    try:
        found = await services.slack.users_info(user=person_id)
    except SlackApiError as error:
        if posting.error_of(error) in UNKNOWN:
            return False
        raise
    user = found.get("user") or {}
    return not user.get("deleted") and not user.get("is_bot")
