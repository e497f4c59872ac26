"""What a message becomes on the page: formatting as in Slack, and never live HTML or script."""

from html.parser import HTMLParser

import pytest

from deploy.workspace import markdown_text, mrkdwn, present, rich_text

NAMES = {"U1": "Ana", "C1": "support"}

FORMATTING = [
    ("*bold* _italic_ ~gone~", "<strong>bold</strong> <em>italic</em> <s>gone</s>"),
    ("2*3*4 snake_case_name a~b~c", "2*3*4 snake_case_name a~b~c"),
    ("*_both_*", "<strong><em>both</em></strong>"),
    ("`*code*`", "<code>*code*</code>"),
    ("one\ntwo", "one<br>two"),
    ("see:\n```\nx = *1*\n  y\n```\ndone", "see:<pre><code>x = *1*\n  y\n</code></pre>done"),
    ("&gt; quoted\n&gt; more\nanswer", "<blockquote>quoted<br>more</blockquote>answer"),
    ("a &lt;b&gt; &amp;amp;", "a &lt;b&gt; &amp;amp;"),
    ("hi <@U1> in <#C1|support>", 'hi <span class="mention" data-user="U1">@Ana</span> in '),
    ("<@U9>", '<span class="mention" data-user="U9">@U9</span>'),
    ("<!here> look", '<span class="mention broadcast">@here</span> look'),
    (":tada: at 10:30:45 :no_such_emoji:", "🎉 at 10:30:45 :no_such_emoji:"),
    ("<https://a.example/x?a=1&amp;b=2|the *page*>", '<a href="https://a.example/x?a=1&amp;b=2" target="_blank"'),
    ("go to https://a.example/x.", ">https://a.example/x</a>."),
    (
        "<!date^1700000000^{date_short} at {time}|14 Nov>",
        'data-ts="1700000000" data-format="{date_short} at {time}">14 Nov<',
    ),
]

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<javascript:alert(1)|click>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    '<https://a.example/"onmouseover="alert(1)|x>',
    "<https://a.example|<img src=x onerror=alert(1)>>",
    '<@U1"onclick="alert(1)>',
    '<#C1|"><svg onload=alert(1)>>',
    '<!date^1"onclick="x^{date}|<b>fallback</b>>',
    "```<script>alert(1)</script>```",
    "`<img src=x onerror=alert(1)>`",
    "\x000\x00 <svg/onload=alert(1)> \x001\x00",
    "*<iframe src=javascript:alert(1)>*",
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "<style>*{display:none}</style>",
    "<https://a.example|</a><script>alert(1)</script>>",
]

ALLOWED_TAGS = {
    "a", "p", "strong", "em", "s", "u", "code", "pre", "br", "blockquote", "span", "time", "ul", "ol", "li", "hr",
    "div", "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ALLOWED_ATTRIBUTES = {
    "href", "target", "rel", "class", "data-user", "data-channel", "data-ts", "data-format", "start",
}  # fmt: skip


class Audit(HTMLParser):
    """Collects what a browser would make live of some HTML and must not."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED_TAGS:
            self.bad.append(tag)
        for name, value in attrs:
            unsafe_link = name == "href" and not (value or "").startswith(("https://", "http://", "mailto:", "#"))
            if name not in ALLOWED_ATTRIBUTES or unsafe_link:
                self.bad.append(f"{tag} {name}={value}")


def live_parts(html: str) -> list[str]:
    audit = Audit()
    audit.feed(html)
    audit.close()
    return audit.bad


@pytest.mark.parametrize(("text", "expected"), FORMATTING)
def test_mrkdwn_reads_as_in_slack(text: str, expected: str) -> None:
    assert expected in mrkdwn.to_html(text, NAMES)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_live_html(text: str) -> None:
    part = {"type": "text", "text": text, "style": {"bold": True}}
    link = {"type": "link", "url": text, "text": text}
    person = {"type": "user", "user_id": text}
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [part, link, person]}]}
    hostile_names = {"U1": text, "C1": text}
    shown = [
        mrkdwn.to_html(text, hostile_names),
        mrkdwn.to_html(f"<@U1> <#C1> {text}", hostile_names),
        mrkdwn.plain(text),
        markdown_text.to_html(text, hostile_names),
        markdown_text.to_html(f"<@U1> <#C1> **{text}**", hostile_names),
        rich_text.to_html(rich, hostile_names),
    ]
    assert [live_parts(html) for html in shown] == [[]] * len(shown)


def test_every_text_of_a_message_gets_html_and_the_original_stays() -> None:
    message = {
        "text": "*hi*",
        "metadata": {"event_payload": {"type": "mrkdwn", "text": "untouched"}},
        "blocks": [
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": "_a_"},
                "fields": [{"type": "plain_text", "text": "<b>"}],
            },
            {"type": "markdown", "text": "# Title\n\n- one\n- **two** <@U1>"},
            {
                "type": "actions",
                "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Go :rocket:"}}],
            },
            {"type": "table", "rows": [[{"type": "raw_text", "text": "<i>cell</i>"}]]},
        ],
        "attachments": [{"text": "~old~"}],
    }
    shown = present.message(message, NAMES)
    section, markdown, actions, table = shown["blocks"]
    assert shown["html"] == "<strong>hi</strong>"
    assert section["text"]["html"] == "<em>a</em>"
    assert section["fields"][0]["html"] == "&lt;b&gt;"
    assert "<h1>Title</h1>" in markdown["html"]
    assert 'data-user="U1">@Ana' in markdown["html"]
    assert actions["elements"][0]["text"]["html"] == "Go 🚀"
    assert table["rows"][0][0]["html"] == "&lt;i&gt;cell&lt;/i&gt;"
    assert shown["attachments"][0]["html"] == "<s>old</s>"
    assert "html" not in shown["metadata"]["event_payload"]
    assert "html" not in message
    assert "html" not in message["blocks"][0]["text"]


def test_markdown_keeps_code_and_tables() -> None:
    shown = markdown_text.to_html(
        "| a | b |\n|---|--:|\n| 1 | ~~2~~ |\n\n```python\nif a < b: pass\n```\n\nhttps://x.example/a_b_c."
    )
    assert '<div class="table-scroll"><table>' in shown
    assert '<td class="align-right"><s>2</s></td>' in shown
    assert '<code class="language-python">if a &lt; b: pass' in shown
    assert '<a href="https://x.example/a_b_c" target="_blank" rel="noopener noreferrer">' in shown


def test_an_image_in_markdown_is_a_link_so_that_nothing_is_fetched_from_elsewhere() -> None:
    shown = markdown_text.to_html("![chart](https://evil.example/pixel.png)")
    assert "<img" not in shown
    assert '<a href="https://evil.example/pixel.png"' in shown


def test_a_view_gets_html_in_its_title_and_blocks_but_not_in_its_state() -> None:
    view = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Why & how"},
        "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "A < B"}}],
        "state": {"values": {"b": {"a": {"type": "plain_text", "text": "x"}}}},
    }
    shown = present.view(view)
    assert shown["title"]["html"] == "Why &amp; how"
    assert shown["blocks"][0]["text"]["html"] == "A &lt; B"
    assert shown["state"] == view["state"]


def test_rich_text_lists_quotes_and_styles() -> None:
    def section(text: str, **style: bool) -> dict[str, object]:
        return {"type": "rich_text_section", "elements": [{"type": "text", "text": text, "style": style}]}

    block = {
        "type": "rich_text",
        "elements": [
            section("bold", bold=True),
            {
                "type": "rich_text_list",
                "style": "ordered",
                "indent": 1,
                "elements": [section("first"), section("second")],
            },
            {"type": "rich_text_quote", "elements": [{"type": "emoji", "name": "tada"}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "a\nb"}]},
        ],
    }
    assert rich_text.to_html(block) == (
        "<p><strong>bold</strong></p>"
        '<ol class="indent-1"><li>first</li><li>second</li></ol>'
        "<blockquote>🎉</blockquote>"
        "<pre><code>a\nb</code></pre>"
    )
