"""Slack: questions come in, answers go out, reviewers decide, admins promote. Start it with `nightschool bot`."""
