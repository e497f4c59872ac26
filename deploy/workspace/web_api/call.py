"""One call of a Web API method, as the functions that carry it out see it."""

from dataclasses import dataclass
from typing import Any

from ..block_kit import check, with_ids
from ..errors import SlackError
from ..seed import Channel
from ..wire import Arguments, Json
from ..workspace import Workspace

TEXT_LIMIT = 40_000
MARKDOWN_LIMIT = 12_000
ATTACHMENTS_LIMIT = 100


@dataclass(frozen=True)
class Call:
    """The workspace, the arguments, and the scopes of the app that calls."""

    workspace: Workspace
    arguments: Arguments

    @property
    def scopes(self) -> frozenset[str]:
        """What the app was granted: the bot scopes of its manifest."""
        return self.workspace.manifest.scopes

    def writable_channel(self, name: str = "channel") -> Channel:
        """The channel argument, one that the bot is in."""
        return self.workspace.directory.writable_by_bot(self.arguments.need(name))

    def seen_channel(self, name: str = "channel") -> Channel:
        """The channel argument, one that the bot may know of."""
        return self.workspace.directory.seen_by_bot(self.arguments.need(name))

    def content(self) -> Json:
        """The text, blocks, attachments and metadata of a message; raises Slack's errors for each."""
        content: Json = {}
        content |= self._text()
        content |= self._blocks()
        attachments = self.arguments.objects("attachments")
        if attachments:
            if len(attachments) > ATTACHMENTS_LIMIT:
                raise SlackError("too_many_attachments")
            content["attachments"] = attachments
        content |= self.metadata()
        return content

    def blocks(self) -> list[Json]:
        """The blocks argument, checked, with ids filled in; empty if absent."""
        value = self.arguments.data("blocks", "invalid_blocks_format")
        if not value:
            return []
        if not isinstance(value, list):
            raise SlackError("invalid_blocks_format")
        problems = check.blocks(value)
        if problems:
            raise SlackError("invalid_blocks", errors=problems, response_metadata={"messages": problems})
        if check.too_long(value):
            raise SlackError("msg_blocks_too_long")
        return with_ids(value)

    def metadata(self) -> Json:
        """The metadata argument as a part of a message, or nothing."""
        value: Any = self.arguments.data("metadata", "invalid_metadata_format")
        if not value:
            return {}
        if not isinstance(value, dict) or not isinstance(value.get("event_payload"), dict):
            raise SlackError("invalid_metadata_format")
        if not value.get("event_type"):
            raise SlackError("invalid_metadata_format")
        return {"metadata": {"event_type": value["event_type"], "event_payload": value["event_payload"]}}

    def _text(self) -> Json:
        text = self.arguments.text("text")
        markdown = self.arguments.text("markdown_text")
        if markdown is None:
            return {} if text is None else {"text": text[:TEXT_LIMIT]}
        if text is not None or self.arguments.data("blocks"):
            raise SlackError("markdown_text_conflict")
        if len(markdown) > MARKDOWN_LIMIT:
            raise SlackError("msg_too_long")
        return {"text": markdown, "blocks": with_ids([{"type": "markdown", "text": markdown}])}

    def _blocks(self) -> Json:
        blocks = self.blocks()
        return {"blocks": blocks} if blocks else {}
