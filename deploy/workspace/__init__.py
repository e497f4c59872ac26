"""The local Slack workspace: Web API, Socket Mode and a page to chat in, on this machine alone.

It speaks Slack's wire protocol, so that an unmodified Slack app runs against it. It knows no particular app:
a seed names the people and channels, and the app's own Slack manifest says what the app may do.

Run it with `python -m deploy.workspace --folder DIR`.
"""
