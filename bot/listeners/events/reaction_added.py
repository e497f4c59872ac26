"""`reaction_added`: 👍 or 👎 as a reaction counts like the buttons."""

from typing import Any

from bot import voting
from bot.services import Services


async def reaction_added(event: dict[str, Any], services: Services) -> None:
    """Store the vote."""
    await voting.cast_by_reaction(services, event)
