"""What Slack would make of what the bot sends: whom it pings, where its links lead, whether it is taken at all.

The oracle is the local workspace's own reading of mrkdwn and Markdown (the page's renderer) and of Block Kit's rules.
"""

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from deploy.workspace import markdown_text, mrkdwn
from deploy.workspace.block_kit import check
from tests.fixtures_workspace import ANA, MEI, RAVI

Json = dict[str, Any]
ALLOWED_HOST = "docs.corp"
OWN_ID = "U0BUILDER01"
"""The person whom builders themselves mention, such as the reviewer who corrected."""

MENTIONED = (OWN_ID, ANA, RAVI, MEI)
"""Those whom our own sentences may name; hostile texts call others."""

_ANCHOR = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
_MENTION = re.compile(r'<span class="mention[^"]*"(?: data-user="(\w*)")?')
_CALL = re.compile(r"<(?:@[UW]|!(?:here|channel|everyone|subteam))")


def problems_of_message(blocks: list[Json], text: str = "") -> list[str]:
    """Everything wrong with a message."""
    found = check.blocks(blocks) if blocks else []
    if not found and check.too_long(blocks):
        found = ["msg_blocks_too_long"]
    return [*found, *_problems_of_texts(blocks), *(_problems_of(text, "mrkdwn") if not blocks else [])]


def problems_of_view(view: Json) -> list[str]:
    """Everything wrong with a modal or Home tab."""
    return [*check.view(view), *_problems_of_texts(view["blocks"])]


def _problems_of_texts(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _problems_of_texts(item)
    elif isinstance(node, dict):
        if node.get("type") in ("mrkdwn", "markdown") and isinstance(node.get("text"), str):
            yield from _problems_of(node["text"], node["type"])
        else:
            yield from _problems_of_texts(list(node.values()))


@lru_cache(maxsize=64)
def _problems_of(text: str, kind: str) -> tuple[str, ...]:
    return tuple(_look(text, kind))


def _look(text: str, kind: str) -> Iterator[str]:
    # Our own mentions are written by the builders: all other calls come out of the hostile text.
    foreign = re.sub(rf"<@(?:{'|'.join(MENTIONED)})>", "", text)
    if _CALL.search(foreign):
        yield f"a live call: {_around(foreign, _CALL)}"
    shown = mrkdwn.to_html(text) if kind == "mrkdwn" else markdown_text.to_html(text)
    for person in _MENTION.findall(shown):
        if person not in MENTIONED:
            yield f"a mention of {person or 'a group'}"
    for target, label in _ANCHOR.findall(shown):
        yield from _problem_of_link(html.unescape(target), html.unescape(re.sub(r"<[^>]*>", "", label)))


def _problem_of_link(target: str, label: str) -> Iterator[str]:
    host = re.match(r"https://([^/?#]*)", target)
    if host and host[1] == ALLOWED_HOST:
        return
    if target.lower() not in (label.lower(), f"http://{label.lower()}", f"https://{label.lower()}"):
        yield f"a link to {target!r} that reads {label!r}"


def _around(text: str, pattern: re.Pattern[str]) -> str:
    found = pattern.search(text)
    return repr(text[max(0, found.start() - 20) : found.end() + 20]) if found else ""
