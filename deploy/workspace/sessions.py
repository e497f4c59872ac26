"""What the app says about a thread while it works: the status line and the agent session.

Source: https://docs.slack.dev/ai/agent-sessions
"""

import time
from dataclasses import dataclass, field

from .wire import Json

SESSION_STATUSES = ("processing", "active", "suspended", "closed")


@dataclass
class ThreadState:
    """The status line of a thread (gone after its deadline) and its agent session."""

    text: str = ""
    loading_messages: list[str] = field(default_factory=list)
    deadline: float = 0.0
    session_status: str = ""
    title: str = ""

    def has_line(self) -> bool:
        """Whether a status line shows now."""
        return bool(self.text) and self.deadline >= time.monotonic()

    def shown(self) -> Json | None:
        """The status line and the session as the page shows them, or None when there is neither."""
        if not self.has_line():
            return {"text": "", "session": self.session_status} if self.session_status else None
        return {"text": self.text, "loading_messages": self.loading_messages, "session": self.session_status}


@dataclass
class Sessions:
    """The state of every thread that the app has said something about."""

    status_life_s: float
    _threads: dict[tuple[str, str], ThreadState] = field(default_factory=dict)

    def thread(self, channel: str, thread_ts: str) -> ThreadState:
        """The state of a thread, made when it is first asked for."""
        return self._threads.setdefault((channel, thread_ts), ThreadState())

    def set_line(self, channel: str, thread_ts: str, text: str, loading_messages: list[str]) -> ThreadState:
        """Show a status line for the next `status_life_s` seconds; an empty text clears it."""
        state = self.thread(channel, thread_ts)
        state.text = text
        state.loading_messages = loading_messages
        state.deadline = time.monotonic() + self.status_life_s
        return state
