"""What the page shows of a message or a view: a copy of it with safe `html` beside every text.

The page never turns text into HTML itself; it inserts only the `html` that is made here.
"""

from typing import Any

from deploy.workspace import markdown_text, mrkdwn, rich_text

Json = dict[str, Any]


def message(message: Json, names: mrkdwn.Names | None = None) -> Json:
    """A copy of a Slack `message` with `html` beside its text, in its blocks and its attachments.

    `names` maps ids of people and channels to what their mentions show; the page fills in the ids that it lacks.
    """
    shown = {**message, "html": mrkdwn.to_html(str(message.get("text") or ""), names)}
    if isinstance(message.get("markdown_text"), str):
        shown["html"] = markdown_text.to_html(message["markdown_text"], names)
    for part in ("blocks", "attachments"):
        if part in message:
            shown[part] = _walk(message[part], names)
    return shown


def view(view: Json, names: mrkdwn.Names | None = None) -> Json:
    """A copy of a modal or Home `view` with `html` beside its title, its buttons' labels and in its blocks."""
    parts = ("title", "submit", "close", "blocks")
    return {**view, **{part: _walk(view[part], names) for part in parts if view.get(part)}}


def markdown(text: str, names: mrkdwn.Names | None = None) -> str:
    """Safe HTML of a Markdown `text` from a file, such as the workspace's welcome."""
    return markdown_text.to_html(text, names, wrapped=True)


def _walk(node: Any, names: mrkdwn.Names | None) -> Any:
    """`node` copied, with `html` added to each text object found at any depth."""
    if isinstance(node, list):
        return [_walk(item, names) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") == "rich_text":
        return {**node, "html": rich_text.to_html(node, names)}
    shown = {key: _walk(value, names) for key, value in node.items()}
    rendered = _render(node, names)
    if rendered is not None:
        shown["html"] = rendered
    return shown


def _render(node: Json, names: mrkdwn.Names | None) -> str | None:
    """The HTML of `node` if it is a text of some kind, else None."""
    kind, text = node.get("type"), node.get("text")
    if not isinstance(text, str):
        return None
    match kind:
        case "mrkdwn" | None:
            return mrkdwn.to_html(text, names)
        case "markdown":
            return markdown_text.to_html(text, names)
        case _:
            return mrkdwn.plain(text)
