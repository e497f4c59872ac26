"""The folder of documents and what every process has of it."""

import json
from pathlib import Path

import pytest

from store.errors import BadInput
from store.knowledge import folder, library
from store.knowledge.shelf import Shelf
from store.session import Store


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def sources(store: Store) -> list[str]:
    with store.reading() as session:
        return [row.source for row in library.documents(session)]


def refreshed(store: Store, shelf: Shelf) -> int:
    with store.reading() as session:
        return shelf.refresh(session)


def found(shelf: Shelf, question: str, channel: str = "") -> list[str]:
    return [passage.source for passage in shelf.find(question, channel, 5)]


def test_new_changed_and_removed_files_are_followed(store: Store, tmp_path: Path) -> None:
    shelf, returns = Shelf(), write(tmp_path / "returns.md", "# Returns\n\nBring it back within 30 days.")
    write(tmp_path / "deep" / "prices.txt", "A lens costs 20 euros.")
    write(tmp_path / ".hidden.md", "# Hidden\n\nNot for you.")
    write(tmp_path / "photo.jpg", "no document")
    assert sorted(folder.update(store, tmp_path).put) == ["deep/prices.txt", "returns.md"]
    assert refreshed(store, shelf) == 2
    assert found(shelf, "how many days to bring it back?") == ["returns.md"]
    (told,) = shelf.find("how many days to bring it back?", "", 5)
    assert (told.number, told.title, told.text) == (1, "Returns", "Bring it back within 30 days.")
    assert "text" not in told.kept()

    assert folder.update(store, tmp_path) == folder.Changes()
    assert refreshed(store, shelf) == 0
    write(returns, "# Returns\n\nBring it back within 45 days.")
    assert folder.update(store, tmp_path).put == ["returns.md"]
    (tmp_path / "deep" / "prices.txt").unlink()
    assert folder.update(store, tmp_path).removed == ["deep/prices.txt"]
    assert refreshed(store, shelf) == 2
    assert "45 days" in shelf.find("bring back", "", 5)[0].text
    assert found(shelf, "lens") == []
    assert len(shelf) == 1


def test_what_cannot_be_read_is_noted_and_stops_nothing(store: Store, tmp_path: Path) -> None:
    bad = write(tmp_path / "a.pdf", "no pdf")
    write(tmp_path / "b.md", "# Fine\n\nAll is well.")
    write(tmp_path / "c.jsonl", '{"title": "No text"}')
    changes = folder.update(store, tmp_path)
    assert changes.put == ["b.md"]
    assert list(changes.problems) == ["a.pdf", "c.jsonl"]
    assert "cannot be read as a PDF" in changes.problems["a.pdf"]
    assert "line 1" in changes.problems["c.jsonl"]
    assert folder.update(store, tmp_path).problems == {}
    bad.unlink()
    write(tmp_path / "a.txt", "Better.")
    folder.update(store, tmp_path)
    shelf = Shelf()
    refreshed(store, shelf)
    assert len(shelf) == 2


def test_a_list_is_many_documents_with_addresses(store: Store, tmp_path: Path) -> None:
    vpn = {"title": "VPN", "text": "Use the new client.", "url": "https://wiki.corp/vpn"}
    lines = [json.dumps(vpn), json.dumps({"title": "Mail", "text": "Ask."}), ""]
    write(tmp_path / "wiki.jsonl", "\n".join(lines))
    assert folder.update(store, tmp_path).put == ["wiki.jsonl#1", "wiki.jsonl#2"]
    shelf = Shelf()
    refreshed(store, shelf)
    assert shelf.find("vpn client", "", 1)[0].url == "https://wiki.corp/vpn"


def test_a_channel_s_documents_are_for_it_alone(store: Store, tmp_path: Path) -> None:
    write(tmp_path / "C0SALES0001" / "margin.md", "# Margin\n\nThe margin is 12 percent.")
    write(tmp_path / "prices" / "public.md", "# Price\n\nThe margin of error is small.")
    folder.update(store, tmp_path, "https://wiki.corp/")
    shelf = Shelf()
    refreshed(store, shelf)
    assert found(shelf, "what is the margin?", "C0SALES0001") == ["C0SALES0001/margin.md", "prices/public.md"]
    assert found(shelf, "what is the margin?", "C0OTHER0001") == ["prices/public.md"]
    private, public = shelf.find("what is the margin?", "C0SALES0001", 2)
    assert (private.channel, private.url) == ("C0SALES0001", "")
    assert (public.channel, public.url) == ("", "https://wiki.corp/prices/public.md")


def test_without_a_folder_nothing_is_forgotten(store: Store, tmp_path: Path) -> None:
    write(tmp_path / "docs" / "a.md", "# A\n\nText.")
    folder.update(store, tmp_path / "docs")
    assert folder.update(store, tmp_path / "elsewhere") == folder.Changes()
    assert sources(store) == ["a.md"]


def test_files_and_folders_are_added_and_taken_out(tmp_path: Path) -> None:
    handbook, target = tmp_path / "handbook", tmp_path / "documents"
    write(handbook / "a.md", "# A\n\nText.")
    write(handbook / "photo.jpg", "x")
    assert folder.add([handbook, write(tmp_path / "b.txt", "Text.")], target) == ["handbook/a.md", "b.txt"]
    assert folder.add([tmp_path / "b.txt"], target, "C0SALES0001") == ["C0SALES0001/b.txt"]
    folder.take_out("handbook/a.md", target)
    assert [path.relative_to(target).as_posix() for path in folder.files(target)] == ["b.txt", "C0SALES0001/b.txt"]


@pytest.mark.parametrize("source", ["nothing.md", "../b.txt", "list.jsonl#2"])
def test_what_is_not_there_cannot_be_taken_out(tmp_path: Path, source: str) -> None:
    write(tmp_path / "b.txt", "Mine.")
    with pytest.raises(BadInput, match="There is no"):
        folder.take_out(source, tmp_path / "documents")
    assert (tmp_path / "b.txt").exists()


def test_what_is_no_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no document that I can read"):
        folder.add([write(tmp_path / "a.exe", "x")], tmp_path / "documents")
    with pytest.raises(BadInput, match="There is no"):
        folder.add([tmp_path / "none.md"], tmp_path / "documents")
    with pytest.raises(BadInput, match="no channel's id"):
        folder.add([write(tmp_path / "a.md", "x")], tmp_path / "documents", "#sales")


def test_certainty_tells_an_answer_from_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    shelf = Shelf()
    assert shelf.certainty("anything at all", "") == float("-inf")
    for number in range(40):
        write(tmp_path / f"{number}.md", f"# Resetting the badge {number}\n\nThe badge {number} is reset at the desk.")
    folder.update(sqlite_store, tmp_path)
    refreshed(sqlite_store, shelf)
    assert shelf.certainty("resetting the badge 7", "") > 0 > shelf.certainty("who won the match at the desk?", "")
