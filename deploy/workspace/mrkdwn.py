"""Slack's mrkdwn as safe HTML: formatting marks, quotes, code, links, mentions, dates and emoji.

Everything that is not one of our own tags is escaped, so that no message can bring live HTML or script into the page.
Source: https://docs.slack.dev/messaging/formatting-message-text
"""

import html
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

Names = Mapping[str, str]

# One table for both sides: the page fetches the same file for its reactions.
EMOJI: dict[str, str] = json.loads((Path(__file__).parent / "static" / "emoji.json").read_text(encoding="utf-8"))

_FENCE = re.compile(r"```\n?(.+?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_CONTROL = re.compile(r"<([^<>\n]+)>")
_EMOJI = re.compile(r":([a-z0-9_+'-]+):(?::skin-tone-\d:)?")
_BARE_URL = re.compile(r"\bhttps?://[^\s<>\x00]*[^\s<>\x00.,;:!?'\")\]]")
_STASHED = re.compile("\x00(\\d+)\x00")
_MARKS = (
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+)(?<=\S)\*(?![\w*])"), "strong"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_\n]+)(?<=\S)_(?![\w_])"), "em"),
    (re.compile(r"(?<![\w~])~(?=\S)([^~\n]+)(?<=\S)~(?![\w~])"), "s"),
)
_SAFE_SCHEME = re.compile(r"(?i)^(https?://|mailto:)")
BROADCASTS = {"here", "channel", "everyone"}


def to_html(text: str, names: Names | None = None) -> str:
    """The HTML of mrkdwn `text`; `names` maps ids of people and channels to what a mention shows."""
    return _Converter(names or {}).convert(text)


def escape(text: str) -> str:
    """`text` as it reads on screen, escaped for HTML: Slack's three entities are not escaped a second time."""
    return html.escape(unescape(text))


def unescape(text: str) -> str:
    """`text` with the three entities undone that Slack's senders must write; all others are plain text."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def plain(text: str) -> str:
    """A plain_text object's HTML: escaped, with emoji names and line breaks shown."""
    shown = _EMOJI.sub(lambda match: EMOJI.get(match[1], match[0]), html.escape(text))
    return shown.replace("\n", "<br>")


def link(url: str, label: str) -> str:
    """A link to another site if `url` is one that may be followed, else its label as text. `label` is HTML already."""
    if not _SAFE_SCHEME.match(url):
        return label
    return f'<a href="{html.escape(url)}" target="_blank" rel="noopener noreferrer">{label}</a>'


def mention(person_id: str, names: Names) -> str:
    """A person's mention; the page puts the name in where `names` does not know the id."""
    shown = html.escape(names.get(person_id, person_id))
    return f'<span class="mention" data-user="{html.escape(person_id)}">@{shown}</span>'


def group_mention(group_id: str, label: str) -> str:
    """A user group's mention; the page puts the handle in where it knows the group."""
    return f'<span class="mention" data-group="{html.escape(group_id)}">{html.escape(label or "@group")}</span>'


def broadcast(range: str) -> str:
    """A mention of a whole channel: `here`, `channel` or `everyone`."""
    return f'<span class="mention broadcast">@{html.escape(range)}</span>'


def channel_link(channel_id: str, label: str, names: Names) -> str:
    """A link to a channel of this workspace, followed by the page."""
    shown, target = html.escape(label or names.get(channel_id, channel_id)), html.escape(channel_id)
    return f'<a class="channel-link" href="#{target}" data-channel="{target}">#{shown}</a>'


def date(seconds: str, pattern: str, fallback: str) -> str:
    """A moment that the page writes in its reader's own time zone; until then `fallback` shows."""
    return f'<time data-ts="{html.escape(seconds)}" data-format="{html.escape(pattern)}">{html.escape(fallback)}</time>'


class _Converter:
    """One conversion: finished pieces of HTML are stashed away so that later rules cannot touch them."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.stash: list[str] = []

    def convert(self, text: str) -> str:
        text = text.replace("\x00", "").replace("\r\n", "\n")
        text = _FENCE.sub(lambda match: f"\n{self._keep(f'<pre><code>{escape(match[1])}</code></pre>')}\n", text)
        text = _CODE.sub(lambda match: self._keep(f"<code>{escape(match[1])}</code>"), text)
        text = _CONTROL.sub(lambda match: self._keep(self._control(match[1])), text)
        text = _BARE_URL.sub(lambda match: self._keep(link(unescape(match[0]), escape(match[0]))), text)
        text = _EMOJI.sub(self._emoji, text)
        text = escape(text)
        for pattern, tag in _MARKS:
            text = pattern.sub(rf"<{tag}>\1</{tag}>", text)
        return self._restore(_lines(text, self._is_pre))

    def _keep(self, piece: str) -> str:
        self.stash.append(piece)
        return f"\x00{len(self.stash) - 1}\x00"

    def _restore(self, text: str) -> str:
        return _STASHED.sub(lambda match: self.stash[int(match[1])], text)

    def _is_pre(self, line: str) -> bool:
        match = _STASHED.fullmatch(line)
        return match is not None and self.stash[int(match[1])].startswith("<pre>")

    def _emoji(self, match: re.Match[str]) -> str:
        return EMOJI.get(match[1], match[0])

    def _control(self, inner: str) -> str:
        target, _, label = inner.partition("|")
        if target[:1] == "@":
            return mention(target[1:], self.names)
        if target[:1] == "#":
            return channel_link(target[1:], unescape(label), self.names)
        if target[:1] == "!":
            return _special(target[1:], unescape(label))
        url = unescape(target)
        if not _SAFE_SCHEME.match(url):
            return escape(f"<{inner}>")
        return link(url, escape(label or target))


def _special(command: str, label: str) -> str:
    if command in BROADCASTS:
        return broadcast(command)
    if command.startswith("date^"):
        _, seconds, pattern, *_rest = [*command.split("^"), "", ""]
        return date(seconds, pattern, label)
    if command.startswith("subteam^"):
        return group_mention(command.removeprefix("subteam^"), label)
    return html.escape(label or f"<!{command}>")


def _lines(text: str, is_pre: Callable[[str], bool]) -> str:
    """Lines joined by breaks; runs of quoted lines become one quote, code blocks stand on their own."""
    done: list[str] = []
    flowing: list[str] = []
    quoted: list[str] = []

    def flush() -> None:
        if quoted:
            done.append(f"<blockquote>{'<br>'.join(quoted)}</blockquote>")
        if flowing:
            done.append("<br>".join(flowing))
        quoted.clear()
        flowing.clear()

    lines = text.split("\n")
    for index, line in enumerate(lines):
        if line.startswith("&gt;"):
            if flowing:
                flush()
            quoted.append(line.removeprefix("&gt;").strip())
        elif is_pre(line):
            flush()
            done.append(line)
        elif line or not _beside_pre(lines, index, is_pre):
            if quoted:
                flush()
            flowing.append(line)
    flush()
    return "".join(done)


def _beside_pre(lines: list[str], index: int, is_pre: Callable[[str], bool]) -> bool:
    """Whether an empty line only separates a code block from its neighbours, whose margins already do that."""
    before = index > 0 and is_pre(lines[index - 1])
    after = index + 1 < len(lines) and is_pre(lines[index + 1])
    return before or after
