"""Slack: stores what people say, answers it, and lets reviewers and admins decide. Imports `store` and `serving`."""
