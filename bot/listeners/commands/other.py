"""Whatever comes here and nothing else listens to."""

from slack_bolt.context.ack.async_ack import AsyncAck


async def other(ack: AsyncAck) -> None:
    """Acknowledge, so that Slack shows no error."""
    await ack()
