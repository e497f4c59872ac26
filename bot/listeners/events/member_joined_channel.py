"""`member_joined_channel`: when it is the bot itself that was added, the channel is told what is stored and learnt."""

from typing import Any

from bot import notices
from bot.services import Services


async def member_joined_channel(body: dict[str, Any], event: dict[str, Any], services: Services) -> None:
    """Owe the notice, once a channel."""
    bot = await services.bot()
    if event.get("user") != bot.user_id:
        return
    team_id = str(event.get("team") or body.get("team_id") or "")
    await services.store.write(notices.owe_to_channel, services.settings, team_id, str(event["channel"]))
    services.outbox_wake.set()
