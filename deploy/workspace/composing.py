"""What a person types, as Slack stores it: escaped, with mentions and links in angle brackets.

Source: https://docs.slack.dev/messaging/formatting-message-text
"""

import re

from .directory import Directory

TOKEN = re.compile(
    r"<@[UW][A-Z0-9]+>|<#C[A-Z0-9]+(?:\|[^<>]*)?>|<!subteam\^S[A-Z0-9]+(?:\|[^<>]*)?>|https?://[^\s<>]+|@[A-Za-z][\w.-]*"
)
BROADCASTS = ("here", "channel", "everyone")


def as_stored(text: str, directory: Directory) -> str:
    """The stored form of typed text: `@name` becomes a mention, an address a link, and `<`, `>`, `&` are escaped."""
    pieces = []
    end = 0
    for found in TOKEN.finditer(text):
        pieces += [escaped(text[end : found.start()]), _stored_token(found.group(), directory)]
        end = found.end()
    return "".join([*pieces, escaped(text[end:])])


def escaped(text: str) -> str:
    """Text whose three control characters mean themselves."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _stored_token(token: str, directory: Directory) -> str:
    if token.startswith("http"):
        return f"<{token.replace('&', '&amp;')}>"
    if token.startswith("@"):
        return _mention(token, directory)
    id = token.removeprefix("<!subteam^").removeprefix("<@").removeprefix("<#").rstrip(">").split("|")[0]
    known = id in directory.people or id in directory.channels or id in directory.usergroups
    return token if known else escaped(token)


def _mention(token: str, directory: Directory) -> str:
    name = token[1:].rstrip(".").lower()
    dots = "." * (len(token) - 1 - len(name))
    if name in BROADCASTS:
        return f"<!{name}>{dots}"
    for group in directory.usergroups.values():
        if name == group.handle.lower():
            return f"<!subteam^{group.id}|@{group.handle}>{dots}"
    for person in directory.people.values():
        if name in (person.name.lower(), person.real_name.lower()):
            return f"<@{person.id}>{dots}"
    return token
