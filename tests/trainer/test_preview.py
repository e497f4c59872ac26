from pathlib import Path

from sqlmodel import func, select

from store.night_history import history
from store.session import Store
from store.settings import Settings
from store.tables import Dataset, Night, SplitGroup, Ticket
from tests.trainer.conftest import RunNight
from tests.trainer.tickets import add_distinct, add_reviewed
from trainer.preview import preview


def test_a_preview_says_what_the_night_then_learns_and_stores_nothing(
    store: Store, night_settings: Settings, one_night: RunNight
) -> None:
    add_distinct(store, 40)
    with store.writing() as session:
        add_reviewed(session, "May dogs come to the star party?", correction="Yes, with a red collar light.")
    before = preview(night_settings, store, lambda _: None)
    with store.reading() as session:
        assert session.exec(select(func.count()).select_from(Night)).one() == 0
        assert session.exec(select(func.count()).select_from(SplitGroup)).one() == 0
        assert session.exec(select(Ticket).where(Ticket.split_group != "")).first() is None
    text = "\n".join(before.lines())
    assert "1 of them corrected" in text
    assert "May dogs come to the star party? → Yes, with a red collar light." in text
    one_night()
    with store.reading() as session:
        dataset = session.exec(select(Dataset)).one()
    assert dataset.manifest["rows"] == {"train": len(before.train), "held_out": len(before.held_out)}


def test_a_preview_says_why_the_night_would_decline(store: Store, night_settings: Settings) -> None:
    (line,) = preview(night_settings, store, lambda _: None).lines()
    assert line.startswith("The night would decline. Only 0 reviewed answers")


def test_the_history_of_a_night_tells_each_stage_and_what_it_made(store: Store, one_night: RunNight) -> None:
    add_distinct(store, 40)
    night = one_night()
    with store.reading() as session:
        stages, dataset, training, comparison, files = history(session, night)
    assert [str(row[0]) for row in stages.rows] == ["curate", "train", "register", "evaluate", "report"]
    assert dict(dataset.rows)["train rows"] > dict(dataset.rows)["held_out rows"] > 0
    assert dict(training.rows)["last loss"] == "0.500"
    drawn = Path(str(dict(training.rows)["curves of loss and learning rate"]))
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert comparison.title.startswith("v1 against base: promote.")
    assert len(comparison.rows) >= 3
    assert [name for name, _ in files.rows] == ["card", "chart"]
    card = Path(str(dict(files.rows)["card"])).read_text()
    assert card.startswith("Night 2"), "what the version's folder holds comes first"
    assert "## Scores of v1" in card
    for measure in comparison.rows:
        assert f"| {measure[0]}" in card
        assert f"| {measure[1]} | {measure[2]} | " in card
