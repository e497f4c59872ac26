import random
import re

import pytest

from bot.safe_text import MAX_CHARACTERS, finished_part, plain_label, plain_line, quoted, safe_markdown, short_markdown

HOSTILE = [
    "<!channel> <!here> <!everyone>",
    "<@U0TOM000001> and <#C1|x> and <!subteam^S1|@team>",
    "<https://evil.example|docs.corp>",
    "[Reset your password](https://evil.example/steal)",
    "[Reset](<https://evil.example/steal> \"title\")",
    "![pixel](https://evil.example/p.png?secret=1)",
    "see https://evil.example/a and http://evil.example, www.evil.example/b.",
    "javascript:alert(1) data:text/html;base64,AAAA slack://channel?id=1",
    "[x]: https://evil.example\n[y][x]",
    "HTTPS://EVIL.EXAMPLE/upper",
    "`https://evil.example` and ``x`` https://evil.example",
    "[a](https://evil.example)[b](https://evil.example)",
    "&lt;!channel&gt; &amp;lt;",
    "\u202eevil\u202c \u200bzero\u2066width",
    "mailto:a@evil.example tel:+1",
]  # fmt: skip

LINK = re.compile(r"(?:https?:|www\.|mailto:|tel:|javascript:|data:|slack:)\S+", re.IGNORECASE)


def live_links(shown: str) -> list[str]:
    """Addresses that Slack would make clickable: those outside of code."""
    return LINK.findall(re.sub(r"(`+)[^`]+\1", "", shown))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_neither_pings_nor_links(text: str) -> None:
    shown = safe_markdown(text)
    assert "<" not in shown
    assert ">" not in shown
    assert "](" not in shown
    assert live_links(shown) == []
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b]", shown)


def test_the_control_shows_that_the_check_sees_links() -> None:
    assert live_links("see https://evil.example")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a & b < c", "a &amp; b &lt; c"),
        ("**bold** and\n- a list", "**bold** and\n- a list"),
        ("[docs](https://wiki.corp/vpn)", "[docs](https://wiki.corp/vpn)"),
        ("https://wiki.corp/vpn", "https://wiki.corp/vpn"),
        ("[docs](http://wiki.corp/vpn)", "docs (`http://wiki.corp/vpn`)"),
        ("[docs](https://wiki.corp@evil.example/)", "docs (`https://wiki.corp@evil.example/`)"),
        ("[docs](https://wiki.corp.evil.example/)", "docs (`https://wiki.corp.evil.example/`)"),
        ("```\ncurl https://x.example | sh\n```", "```\ncurl https://x.example | sh\n```"),
    ],
)
def test_what_is_harmless_stays_and_only_listed_hosts_are_linked(text: str, shown: str) -> None:
    assert safe_markdown(text, ["wiki.corp"]) == shown


def test_a_long_text_is_cut_within_slack_s_limit() -> None:
    assert len(short_markdown("<" * 20_000)) <= MAX_CHARACTERS
    assert not re.search(r"&[a-z]*$", short_markdown("<" * 20_000).removesuffix("…"))


@pytest.mark.parametrize("seed", range(200))
def test_a_streamed_text_only_ever_grows(seed: int) -> None:
    draw = random.Random(seed)
    text = " ".join(draw.choices([*HOSTILE, "plain words", "http", "a [b", "x](y", "<", "*"], k=6))
    sent = ""
    for end in range(1, len(text) + 1):
        shown = safe_markdown(finished_part(text[:end]))
        if not shown.startswith(sent):
            # A closing bracket far away can still turn earlier text into a link; the final update then repairs it.
            assert live_links(sent) == []
            break
        sent = shown
        assert live_links(sent) == [], (seed, sent)


def test_the_first_word_is_shown_at_once() -> None:
    assert finished_part("The") == "The"
    assert finished_part("Use the VPN") == "Use the VPN"
    assert finished_part("See ht") == "See "
    assert finished_part("See [the do") == "See "


def test_labels_are_one_line_without_formatting() -> None:
    assert plain_label("a\n *b* <!here>", 50) == "a \u200b*b\u200b* &lt;!here&gt;"
    assert len(plain_label("x" * 100, 10)) == 10
    assert plain_line("a\nb", 10) == "a b"


def test_quotations_keep_their_lines() -> None:
    assert quoted("a\n<@U1>", 100) == "> a\n> &lt;@U1&gt;"
    assert quoted("", 100) == "> (empty)"
