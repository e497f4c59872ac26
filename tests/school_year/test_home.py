import os
from pathlib import Path

import pytest

from deploy.school_year.home import own_home


def test_nothing_leads_to_production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIGHTSCHOOL_HOME", str(tmp_path / "production"))
    monkeypatch.setenv("NIGHTSCHOOL_DATABASE_URL", "postgresql+psycopg://production/all")
    monkeypatch.setenv("NIGHTSCHOOL_SERVING__URLS", '["http://production:8000"]')
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-production")
    monkeypatch.setenv("NIGHTSCHOOL_TRAINING__EPOCHS", "2")
    with own_home(tmp_path / "year" / "home") as settings:
        assert settings.database == f"sqlite:///{tmp_path / 'year' / 'home' / 'nightschool.db'}"
        assert settings.replica_urls == [f"unix://{settings.socket_path}"]
        assert settings.slack_bot_token is None
        assert "SLACK_BOT_TOKEN" not in os.environ, "nor may a child find it"
        assert not settings.approved_answers
        assert settings.training.epochs == 2, "what the installation trains with stays"
        assert settings.models == tmp_path / "production" / "models", "no second copy of the base model"
    assert os.environ["SLACK_BOT_TOKEN"] == "xoxb-production"
    assert os.environ["NIGHTSCHOOL_HOME"] == str(tmp_path / "production")


def test_production_in_a_settings_file_is_left_alone_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = 'database_url = "postgresql+psycopg://production/all"\n[serving]\nurls = ["http://production:8000"]\n'
    (tmp_path / "nightschool.toml").write_text(text)
    with own_home(tmp_path / "home") as settings:
        assert settings.database.startswith("sqlite:///")
        assert settings.serving.urls == []
