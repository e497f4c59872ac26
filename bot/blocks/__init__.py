"""Block Kit builders: pure functions from our rows to what Slack shows. They ask nothing and change nothing."""
