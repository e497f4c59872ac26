"""Messages that are being streamed: their pieces so far, and why they may take no more.

Source: https://docs.slack.dev/reference/methods/chat.startStream and the methods beside it.
"""

import time
from dataclasses import dataclass, field

from .block_kit import with_ids
from .errors import SlackError
from .faults import StreamLife
from .wire import Json

CALL_TEXT_LIMIT = 12_000


@dataclass
class Stream:
    """One streaming message; `segments` are the blocks that it will have."""

    message: Json
    deadline: float
    plan_mode: bool = False
    segments: list[Json] = field(default_factory=list)
    stopped_by_user: bool = False
    appends_left: int | None = None
    flush_planned: bool = False
    next_flush: float = 0.0

    def add(self, chunks: list[Json]) -> None:
        """Append chunks that were checked; raises `msg_too_long` for more text than one call may bring."""
        if sum(len(chunk.get("text", "")) for chunk in chunks) > CALL_TEXT_LIMIT:
            raise SlackError("msg_too_long")
        for chunk in chunks:
            self._add_one(chunk)

    def _add_one(self, chunk: Json) -> None:
        kind = chunk["type"]
        if kind == "markdown_text":
            self._add_text(chunk["text"])
        elif kind == "task_update":
            self._add_task(chunk)
        elif kind == "plan_update":
            self._plan()["title"] = chunk["title"]
        else:
            self.segments.extend(with_ids(chunk["blocks"]))

    def _add_text(self, text: str) -> None:
        if not text:
            return
        if not self.segments or self.segments[-1]["type"] != "markdown":
            self.segments.append({"type": "markdown", "block_id": f"text{len(self.segments)}", "text": ""})
        self.segments[-1]["text"] += text

    def _add_task(self, chunk: Json) -> None:
        task = {key: value for key, value in chunk.items() if key not in ("type", "id")}
        card = {"type": "task_card", "task_id": chunk["id"], "status": "pending", **task}
        cards = self._plan().setdefault("tasks", []) if self.plan_mode else self.segments
        for index, known in enumerate(cards):
            if known.get("task_id") == chunk["id"]:
                cards[index] = {**known, **card}
                return
        cards.append(card)

    def _plan(self) -> Json:
        for segment in self.segments:
            if segment["type"] == "plan":
                return segment
        self.segments.insert(0, {"type": "plan", "block_id": "plan", "title": "", "tasks": []})
        return self.segments[0]

    def text(self) -> str:
        """All text so far."""
        return "".join(each["text"] for each in self.segments if each["type"] == "markdown")

    def snapshot(self, **changes: object) -> Json:
        """The message as it stands."""
        return {**self.message, "text": self.text(), "blocks": self.segments, **changes}


@dataclass
class Streams:
    """The running streams; Slack ends each `life_s` seconds after its start, however busy it is."""

    life_s: float
    _running: dict[tuple[str, str], Stream] = field(default_factory=dict)

    def start(self, message: Json, plan_mode: bool, life: StreamLife) -> Stream:
        """A stream for a message that was just posted."""
        seconds = self.life_s if life.seconds is None else life.seconds
        stream = Stream(message, time.monotonic() + seconds, plan_mode, appends_left=life.appends)
        self._running[message["channel"], message["ts"]] = stream
        return stream

    def running(self, channel: str, ts: str) -> Stream:
        """The stream of a message; raises `stopped_by_user` or `message_not_in_streaming_state`."""
        stream = self._running.get((channel, ts))
        if stream is None:
            raise SlackError("message_not_in_streaming_state")
        if stream.stopped_by_user:
            raise SlackError("stopped_by_user")
        if stream.deadline < time.monotonic():
            self.end(stream)
            raise SlackError("message_not_in_streaming_state")
        return stream

    def end(self, stream: Stream) -> None:
        """The stream is over."""
        self._running.pop((stream.message["channel"], stream.message["ts"]), None)

    def of_thread(self, channel: str, thread_ts: str) -> list[Stream]:
        """The streams in a thread that still run."""
        return [
            stream
            for stream in self._running.values()
            if stream.message["channel"] == channel
            and thread_ts in (stream.message.get("thread_ts"), stream.message["ts"])
            and not stream.stopped_by_user
        ]

    def all(self) -> list[Stream]:
        """Every stream that still runs."""
        return list(self._running.values())

    def is_running(self, stream: Stream) -> bool:
        """Whether the stream is still in place."""
        return self._running.get((stream.message["channel"], stream.message["ts"])) is stream
