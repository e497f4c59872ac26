from pathlib import Path

import pytest

from store.errors import BadInput
from store.settings import LONGEST_SOCKET_PATH, Settings, load_settings


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_environment_wins_over_the_file(empty_folder: Path, monkeypatch) -> None:
    (empty_folder / "nightschool.toml").write_text('admins = ["U1"]\n[training]\nepochs = 7\nrank = 8\n')
    monkeypatch.setenv("NIGHTSCHOOL_TRAINING__EPOCHS", "2")
    loaded = load_settings()
    assert (loaded.training.epochs, loaded.training.rank, loaded.admins) == (2, 8, ["U1"])


def test_people_are_listed_with_commas_in_the_environment(monkeypatch) -> None:
    monkeypatch.setenv("NIGHTSCHOOL_REVIEWERS", "U1, U2")
    assert load_settings().reviewers == ["U1", "U2"]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("NIGHTSCHOOL_TRAINING__EPOCS", "2", "NIGHTSCHOOL_TRAINING__EPOCS"),
        ("NIGHTSCHOOL_TRAINING__EPOCHS", "many", "training.epochs"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch, variable: str, value: str, said: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadInput, match=said):
        load_settings()


def test_an_unknown_name_in_the_file_is_named(empty_folder: Path) -> None:
    (empty_folder / "nightschool.toml").write_text("databse_url = 'x'\n")
    with pytest.raises(BadInput, match="databse_url"):
        load_settings()


def test_tokens_do_not_show_when_settings_are_printed(monkeypatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-very-secret")
    assert "very-secret" not in repr(load_settings())


def test_a_long_home_still_gives_a_socket_path_that_fits(empty_folder: Path) -> None:
    path = Settings(home=empty_folder / ("x" * 120)).socket_path
    assert len(str(path)) <= LONGEST_SOCKET_PATH


@pytest.mark.parametrize(("written", "port"), [("", None), ("0", 0), ("3000", 3000)])
def test_an_empty_port_means_socket_mode(monkeypatch: pytest.MonkeyPatch, written: str, port: int | None) -> None:
    monkeypatch.setenv("NIGHTSCHOOL_HTTP_PORT", written)
    assert Settings().http_port == port
