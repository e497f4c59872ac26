"""The Markdown of `markdown` blocks and streamed answers as safe HTML.

Raw HTML is shown as text. Images become links: a model's text must not make the page fetch from another site.
"""

import html
import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from deploy.workspace import mrkdwn

_CONTROL = re.compile(r"<(@|#|!subteam\^|!)([A-Z0-9]+|here|channel|everyone)(?:\|([^<>\n]*))?>")
_EMOJI = re.compile(r":([a-z0-9_+'-]+):")
_URL = re.compile(r"\bhttps?://[^\s<>\"]*[^\s<>\".,;:!?')\]]")


def to_html(text: str, names: mrkdwn.Names | None = None, *, wrapped: bool = False) -> str:
    """The HTML of Markdown `text` (CommonMark with tables and strikethrough).

    A line break shows as one, as in Slack, unless the text was `wrapped` by its author to fit a file.
    """
    parser = _WRAPPED if wrapped else _CHAT
    return str(parser.render(text, {"names": names or {}}))


def _mentions(state: StateInline, silent: bool) -> bool:
    """Inline rule: `<@U…>`, `<#C…>`, `<!subteam^S…>` and `<!here>` call people in Slack's Markdown too."""
    match = _CONTROL.match(state.src, state.pos)
    if match is None or (match[1] == "!") != (match[2] in mrkdwn.BROADCASTS):
        return False
    if not silent:
        token = state.push("slack_control", "", 0)
        token.meta = {"sign": match[1], "id": match[2], "label": match[3] or ""}
    state.pos = match.end()
    return True


class _Renderer(RendererHTML):
    """Our changes to markdown-it's HTML: links open elsewhere, images are links, emoji names are shown."""

    def slack_control(self, tokens: Sequence[Token], index: int, _options: Any, env: MutableMapping[str, Any]) -> str:
        meta = tokens[index].meta
        match meta["sign"]:
            case "@":
                return mrkdwn.mention(meta["id"], env["names"])
            case "#":
                return mrkdwn.channel_link(meta["id"], meta["label"], env["names"])
            case "!":
                return mrkdwn.broadcast(meta["id"])
            case _:
                return mrkdwn.group_mention(meta["id"], meta["label"])

    def link_open(self, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]) -> str:
        tokens[index].attrSet("target", "_blank")
        tokens[index].attrSet("rel", "noopener noreferrer")
        return self.renderToken(tokens, index, options, env)

    def image(self, tokens: Sequence[Token], index: int, _options: Any, _env: MutableMapping[str, Any]) -> str:
        url = str(tokens[index].attrGet("src") or "")
        return mrkdwn.link(url, html.escape(tokens[index].content or url))

    def text(self, tokens: Sequence[Token], index: int, _options: Any, _env: MutableMapping[str, Any]) -> str:
        content = tokens[index].content
        if index > 0 and tokens[index - 1].type == "link_open":
            return _with_emoji(content)
        return _with_links(content)

    def th_open(self, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]) -> str:
        _align_by_class(tokens[index])
        return self.renderToken(tokens, index, options, env)

    td_open = th_open

    def table_open(self, *_args: Any) -> str:
        return '<div class="table-scroll"><table>'

    def table_close(self, *_args: Any) -> str:
        return "</table></div>"


def _align_by_class(cell: Token) -> None:
    """Say a table cell's alignment in a class: the page's content security policy allows no inline styles."""
    style = str(cell.attrs.pop("style", ""))
    if style:
        cell.attrSet("class", style.replace("text-align:", "align-"))


def _with_emoji(text: str) -> str:
    return _EMOJI.sub(lambda match: mrkdwn.EMOJI.get(match[1], match[0]), html.escape(text))


def _with_links(text: str) -> str:
    pieces: list[str] = []
    end = 0
    for match in _URL.finditer(text):
        pieces += [_with_emoji(text[end : match.start()]), mrkdwn.link(match[0], html.escape(match[0]))]
        end = match.end()
    return "".join([*pieces, _with_emoji(text[end:])])


def _parser(breaks: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": breaks}, renderer_cls=_Renderer)
    parser.enable(["table", "strikethrough"])
    parser.inline.ruler.before("autolink", "slack_control", _mentions)
    return parser


_CHAT = _parser(breaks=True)
_WRAPPED = _parser(breaks=False)
