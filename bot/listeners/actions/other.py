"""Every click that nothing else listens to: links, and buttons of earlier versions of the bot."""

from slack_bolt.context.ack.async_ack import AsyncAck


async def other(ack: AsyncAck) -> None:
    """Acknowledge, so that Slack shows no error."""
    await ack()
