"""`rich_text` blocks as safe HTML.

Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

import html
from collections.abc import Callable
from typing import Any

from deploy.workspace import mrkdwn

Part = dict[str, Any]
_STYLES = (("code", "code"), ("bold", "strong"), ("italic", "em"), ("strike", "s"), ("underline", "u"))


def to_html(block: Part, names: mrkdwn.Names | None = None) -> str:
    """The HTML of one `rich_text` block."""
    return "".join(_element(element, names or {}) for element in _parts(block))


def _parts(holder: Part) -> list[Part]:
    return [part for part in holder.get("elements") or [] if isinstance(part, dict)]


def _element(element: Part, names: mrkdwn.Names) -> str:
    inner = "".join(_piece(part, names) for part in _parts(element))
    match element.get("type"):
        case "rich_text_section":
            return f"<p>{inner}</p>"
        case "rich_text_preformatted":
            return f"<pre><code>{inner.replace('<br>', chr(10))}</code></pre>"
        case "rich_text_quote":
            return f"<blockquote>{inner}</blockquote>"
        case "rich_text_list":
            return _list(element, names)
        case other:
            return f'<p class="unknown">Unknown rich text: {html.escape(str(other))}</p>'


def _list(element: Part, names: mrkdwn.Names) -> str:
    tag = "ol" if element.get("style") == "ordered" else "ul"
    items = "".join(f"<li>{''.join(_piece(part, names) for part in _parts(item))}</li>" for item in _parts(element))
    depth = min(int(element.get("indent") or 0), 8)
    return f'<{tag} class="indent-{depth}">{items}</{tag}>'


def _text(part: Part, _names: mrkdwn.Names) -> str:
    return html.escape(str(part.get("text", ""))).replace("\n", "<br>")


def _link(part: Part, _names: mrkdwn.Names) -> str:
    url = str(part.get("url", ""))
    return mrkdwn.link(url, html.escape(str(part.get("text") or url)))


def _user(part: Part, names: mrkdwn.Names) -> str:
    return mrkdwn.mention(str(part.get("user_id", "")), names)


def _channel(part: Part, names: mrkdwn.Names) -> str:
    return mrkdwn.channel_link(str(part.get("channel_id", "")), "", names)


def _emoji(part: Part, _names: mrkdwn.Names) -> str:
    name = str(part.get("name", ""))
    return html.escape(mrkdwn.EMOJI.get(name, f":{name}:"))


def _broadcast(part: Part, _names: mrkdwn.Names) -> str:
    return mrkdwn.broadcast(str(part.get("range", "here")))


def _date(part: Part, _names: mrkdwn.Names) -> str:
    return mrkdwn.date(str(part.get("timestamp", "")), str(part.get("format", "")), str(part.get("fallback", "")))


def _usergroup(part: Part, _names: mrkdwn.Names) -> str:
    return mrkdwn.group_mention(str(part.get("usergroup_id", "")), "")


def _color(part: Part, _names: mrkdwn.Names) -> str:
    return f"<code>{html.escape(str(part.get('value', '')))}</code>"


_PIECES: dict[str, Callable[[Part, mrkdwn.Names], str]] = {
    "text": _text,
    "link": _link,
    "user": _user,
    "channel": _channel,
    "emoji": _emoji,
    "broadcast": _broadcast,
    "date": _date,
    "usergroup": _usergroup,
    "color": _color,
}


def _piece(part: Part, names: mrkdwn.Names) -> str:
    render = _PIECES.get(str(part.get("type")))
    if render is None:
        return html.escape(str(part.get("text", "")))
    shown = render(part, names)
    for style, tag in _STYLES:
        if (part.get("style") or {}).get(style):
            shown = f"<{tag}>{shown}</{tag}>"
    return shown
