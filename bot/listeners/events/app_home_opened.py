"""`app_home_opened`: the Home tab shows what this person can do; the Messages tab suggests what to ask."""

from typing import Any

from bot import home, suggesting
from bot.services import Services


async def app_home_opened(event: dict[str, Any], services: Services) -> None:
    """Publish the Home tab, or suggest what to ask."""
    if event.get("tab") == "home":
        await home.publish(services, str(event["user"]))
    elif event.get("tab") == "messages":
        await suggesting.suggest(services, str(event["channel"]))
