"""`app_uninstalled` and `tokens_revoked`: the workspace has let the bot go."""

import logging
from typing import Any

log = logging.getLogger(__name__)


async def app_uninstalled(event: dict[str, Any]) -> None:
    """Say in the log why Slack refuses everything from now on."""
    log.error(
        "Slack took the bot's access away (%s). Install the app again and set the new SLACK_BOT_TOKEN, "
        "or stop the bot; what is stored stays as it is.",
        event.get("type"),
    )
