"""The model's text made safe for Slack: it can ping nobody, hide no link, and fake no formatting of ours.

`&`, `<` and `>` are Slack's control characters (https://docs.slack.dev/messaging/formatting-message-text): escaped,
`<!channel>` and `<@U…>` are plain text. A link whose host is not on the list is shown as code beside its label, so
that its target is seen and nothing can be sent away by a click or a preview.
"""

import re
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

MAX_CHARACTERS = 11_000
"""Below Slack's 12,000 for Markdown."""

_SCHEMES = r"(?:https?|ftp|mailto|tel|slack|javascript|data|file)"
_LINK = re.compile(
    r"!?\[(?P<label>[^\[\]\n]{0,300})\]\(\s*<?(?P<target>[^()\s<>]{0,2000})>?[^()\n]{0,300}\)"
    rf"|(?P<url>(?:{_SCHEMES}:|www\.)[^\s<>()\[\]`]+)",
    re.IGNORECASE,
)
_INVISIBLE = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff\x00-\x08\x0b-\x1f\x7f]")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`\n]*$)|~{3,})", re.MULTILINE)
_BRACKETS = re.compile(r"\](?=[(:])")
# What may still grow into a link when more text comes: an open bracket, or the beginning of an address.
_UNFINISHED = re.compile(
    r"(?:!?\[[^\[\]\n]{0,300}(?:\](?:\([^()\n]{0,2300})?)?|!|(?<![a-z0-9])(?:" + _SCHEMES + r":|www\.)\S*|<[^\s>]*)$",
    re.IGNORECASE,
)
_WORDS = ("http:", "https:", "ftp:", "mailto:", "tel:", "slack:", "javascript:", "data:", "file:", "www.")
_LAST_WORD = re.compile(r"(?<![a-z0-9])[a-z]+:?$", re.IGNORECASE)


def safe_markdown(text: str, link_hosts: Collection[str] = ()) -> str:
    """The model's text as Markdown that Slack may show, of any length."""
    parts = [
        _escaped(part) if is_code else _without_links(part, link_hosts)
        for part, is_code in _segments(_INVISIBLE.sub("", text))
    ]
    return "".join(parts)


def short_markdown(text: str, link_hosts: Collection[str] = ()) -> str:
    """The same for a message that cannot be split: cut off where it is too long for one."""
    return _fitted(safe_markdown(text, link_hosts), MAX_CHARACTERS)


def finished_part(text: str) -> str:
    """The beginning of a text still being written, without an end that may yet become a link."""
    end = _UNFINISHED.search(text)
    if end:
        return text[: end.start()]
    word = _LAST_WORD.search(text)
    if word and len(word[0]) > 1 and any(scheme.startswith(word[0].lower()) for scheme in _WORDS):
        return text[: word.start()]
    return text


def plain_label(text: str, limit: int) -> str:
    """A text in one line for a Slack field in `mrkdwn`: escaped, then shortened to `limit` characters."""
    return _fitted(_unformatted(" ".join(_INVISIBLE.sub("", text).split())), limit)


def plain_line(text: str, limit: int) -> str:
    """A text in one line for a Slack field of type `plain_text`, shortened to `limit` characters."""
    return _shortened(" ".join(_INVISIBLE.sub("", text).split()), limit)


def quoted(text: str, limit: int) -> str:
    """A text as a quotation in `mrkdwn`: its lines kept, escaped, then shortened to `limit` characters."""
    lines = _INVISIBLE.sub("", text).strip().splitlines()
    return _fitted("\n".join(f"> {_unformatted(line)}" for line in lines), limit) or "> (empty)"


def _unformatted(text: str) -> str:
    return re.sub(r"([*_~`])", "\u200b\\1", _escaped(text))


def _fitted(escaped: str, limit: int) -> str:
    # Half an entity would be shown as it is.
    return escaped if len(escaped) <= limit else re.sub(r"&[a-z]*$", "", escaped[: limit - 1]).rstrip() + "…"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _segments(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces of whole lines, each with whether it is a fenced block of code.

    The rule is CommonMark's (https://spec.commonmark.org/0.31.2/#fenced-code-blocks): what we take for code must be
    code to Slack too, or a link in it would be live.
    """
    kept: list[str] = []
    fence = ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        if fence:
            kept.append(line)
            if re.fullmatch(rf" {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*", line.rstrip("\n")):
                yield "".join(kept), True
                kept, fence = [], ""
        elif opening := _FENCE.match(line):
            yield "".join(kept), False
            kept, fence = [line], opening[1]
        else:
            kept.append(line)
    yield "".join(kept), bool(fence)


def _without_links(text: str, link_hosts: Collection[str]) -> str:
    parts: list[str] = []
    position = 0
    for found in _LINK.finditer(text):
        parts.append(_plain(text[position : found.start()]))
        parts.append(_shown_link(found, link_hosts))
        position = found.end()
    return "".join([*parts, _plain(text[position:])])


def _plain(text: str) -> str:
    # Brackets that are still there, such as those around two lines, must not become a link either.
    return _BRACKETS.sub("] ", _escaped(text))


def _shown_link(found: re.Match[str], link_hosts: Collection[str]) -> str:
    target = found["url"] if found["url"] is not None else found["target"]
    if _allowed(target, link_hosts):
        label = found["label"]
        return _escaped(target) if label is None else f"[{_escaped(label)}]({_escaped(target)})"
    shown = f"`{_escaped(target.replace('`', ''))}`" if target else ""
    label = _escaped((found["label"] or "").strip())
    return f"{label} ({shown})" if label and shown else label or shown


def _allowed(target: str, link_hosts: Collection[str]) -> bool:
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return parts.scheme == "https" and (parts.hostname or "") in link_hosts and "@" not in parts.netloc
