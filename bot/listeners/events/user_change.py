"""`user_change`: somebody became a guest, was deactivated, or came back."""

from typing import Any

from bot import identities
from bot.services import Services


async def user_change(event: dict[str, Any], services: Services) -> None:
    """Look at them anew when they act next."""
    identities.forget(services, str((event.get("user") or {}).get("id") or ""))
