"""`agent_session_stopped`: a person pressed Stop while an answer was written."""

from typing import Any

from bot.services import Services


async def agent_session_stopped(event: dict[str, Any], services: Services) -> None:
    """Close the model's stream; what was written so far is kept as a stopped answer."""
    services.running.stop(str(event.get("channel") or ""), str(event.get("thread_ts") or ""))
