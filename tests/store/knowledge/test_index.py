"""Documents of each kind become passages that are found by their words, by whom may see them."""

from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from store.errors import BadInput
from store.knowledge.documents import ReadDocument, Section, read
from store.knowledge.index import Entry, Index
from store.knowledge.passages import cut
from store.knowledge.ranking import fuse


def entry(source: str, text: str, channel: str = "") -> Entry:
    return Entry(source, source, cut(ReadDocument(source, [Section("", [text])])), channel)


def test_markdown_and_html_have_titles_and_sections_and_no_scripts(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Returns\n\nIntro.\n\n## Time\n\n30 *days* for <b>all</b>.\n")
    (tmp_path / "a.html").write_text("<title>Returns</title><script>x=1</script><h2>Time</h2><p>30 <i>days</i>.</p>")
    markdown, html = read(tmp_path / "a.md"), read(tmp_path / "a.html")
    assert markdown.title == html.title == "Returns"
    assert Section("Time", ["30 days for <b>all</b>."]) in markdown.sections
    assert html.sections == [Section("", []), Section("Time", ["30 days."])]


def test_each_page_of_a_pdf_is_a_section(tmp_path: Path) -> None:
    with mpl.rc_context({"pdf.fonttype": 42}):
        page = Figure()
        page.text(0.1, 0.5, "Returns take thirty days")
        page.savefig(tmp_path / "a.pdf")
    assert read(tmp_path / "a.pdf").sections == [Section("Page 1", ["Returns take thirty days"])]


@pytest.mark.parametrize(("name", "content"), [("a.exe", b"x"), ("a.txt", b""), ("a.pdf", b"no pdf"), ("no.md", None)])
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=name):
        read(tmp_path / name)


def test_passages_keep_every_word_and_their_length() -> None:
    words = [f"word{number}" for number in range(2000)]
    pieces = cut(ReadDocument("t", [Section("h", [" ".join(words)])]), longest=300)
    assert " ".join(piece.text for piece in pieces).split() == words
    assert max(len(piece.text) for piece in pieces) <= 300


def test_a_search_sees_only_what_its_channel_may_see() -> None:
    index = Index()
    index.replace([entry("open", "The printer is on floor two"), entry("secret", "The printer costs 900", "C1")])
    assert [hit.source for hit in index.search("printer", "C2")] == ["open"]
    assert {hit.source for hit in index.search("printer", "C1")} == {"open", "secret"}


def test_a_document_is_replaced_and_removed(tmp_path: Path) -> None:
    index = Index(tmp_path / "knowledge.sqlite")
    index.replace([entry("a", "costs five")])
    index.replace([entry("a", "costs seven")])
    assert not index.search("five")
    assert Index(tmp_path / "knowledge.sqlite").search("seven")[0].text == "costs seven"
    index.remove("a")
    assert not index.search("seven")


@pytest.mark.parametrize("question", ["", "the", '"', 'a" OR title:x NEAR(', "*", "NOT AND -x"])
def test_no_question_is_syntax(question: str) -> None:
    index = Index()
    index.replace([entry("a", "hello world")])
    assert index.search(question) == []


def test_fusion_prefers_what_both_rankings_hold() -> None:
    assert fuse([[1, 2, 3], [4, 2]])[0] == 2


def test_the_evidence_tells_an_answer_from_what_merely_shares_a_word() -> None:
    index = Index()
    index.replace(
        [
            entry("Return an unused telescope", "Unused gear can come back within 45 days; we pay the postage."),
            entry("Rent a telescope", "A rental costs 40 a night, and the mount is included."),
            entry("Opening hours", "The shop opens at nine; the repair desk on Tuesdays alone."),
        ]
    )
    answered = index.evidence("How can a customer return an unused telescope?")
    stray = index.evidence("Who repairs the roof of my car on Tuesdays?")
    assert answered is not None
    assert stray is not None
    assert answered.title == answered.any_title == 1.0
    assert stray.title == 0.0
    assert answered.match > stray.match
    assert 0 < answered.lead <= 1
    assert index.evidence("Zebra?") is None


def test_the_evidence_knows_only_what_its_channel_may_see() -> None:
    index = Index()
    index.replace([entry("The safe's code", "It is behind the clock.", "C1")])
    assert index.evidence("What is the safe's code?", "C2") is None
    assert index.evidence("What is the safe's code?", "C1") is not None
