"""Every event that nothing else listens to."""


async def other() -> None:
    """Nothing: without any listener, Bolt would not count the event as handled."""
