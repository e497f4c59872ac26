"""No secret in the repository, none in a log."""

import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from store.logs import MaskingFormatter
from store.redact import _KEY_BEGINS, _TOKENS, without_secrets
from store.settings import Settings

ROOT = Path(__file__).parents[2]
MADE_UP = re.compile(r"1234|(.)\1{5}|example|local|test|secret|cBAx$|^AKIA\w+5XN2PLD8|^\D*$", re.IGNORECASE)
"""Tokens in tests and docs: digits in order or none at all, one character repeated, a word that says so, or no rest."""

KEY = re.compile(_KEY_BEGINS.pattern + r"[\s\\n\"']{1,9}[A-Za-z0-9+/=]{40}")
"""A private key with a body: the words alone are in whatever looks for keys."""

BOT_TOKEN = "-".join(["xoxb", "84619374620", "73918264501", "kQz7RwLm2XpVb9TnYc4D"])
APP_TOKEN = "-".join(["xapp", "1", "A09KD72HF1Q", "8461937462011", "9f3c17a0be52d8846c1ea27b"])
GITHUB_TOKEN = "_".join(["ghp", "kQz7RwLm2XpVb9TnYc4DsHf81JgUeA06ioKq"])

PRIVATE_KEY = "-----BEGIN " + "RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEAu5Fk9Lq0Zr8NnXcYb3VtHs6Jd"[:40]


def secrets_in(text: str) -> list[str]:
    """What looks like a vendor's token or a private key and was not visibly made up."""
    found = [match[0] for pattern in (_TOKENS, KEY) for match in pattern.finditer(text)]
    return [token for token in found if not MADE_UP.search(token)]


def test_no_secret_is_in_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    seen, found = 0, []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if not path.is_file() or path.suffix in {".png", ".gif", ".pdf", ".parquet"} or name.startswith("locks/"):
            continue
        seen += 1
        found += [f"{name}: {token[:8]}…" for token in secrets_in(path.read_text(errors="replace"))]
    assert seen > 500
    assert found == []


@pytest.mark.parametrize("token", [BOT_TOKEN, APP_TOKEN, GITHUB_TOKEN, PRIVATE_KEY])
def test_the_search_is_not_blind(token: str) -> None:
    assert secrets_in(f"token = '{token}'") == [token]


SIGNING = "8f742231b10e4a6fd1c3a9b25e6d7f88"
SAID = [
    f"connecting with {BOT_TOKEN}",
    f"wss://wss-primary.slack.com/link/?ticket=1&token={APP_TOKEN}",
    f"signing secret is {SIGNING}, says somebody",
    "postgresql+psycopg://bot:correct-horse@db/support cannot be reached",
    f"Authorization: Bearer {GITHUB_TOKEN}",
]
HIDDEN = [BOT_TOKEN, APP_TOKEN, SIGNING, "correct-horse", GITHUB_TOKEN]


def test_a_log_masks_tokens_and_our_own_secrets_in_messages_and_tracebacks() -> None:
    plain, masking = logging.Formatter("%(message)s"), MaskingFormatter(frozenset({SIGNING}))
    for said, hidden in zip(SAID, HIDDEN, strict=True):
        record = _failed(said)
        assert plain.format(record).count(hidden) == 2, "control: without the mask it is there, in line and traceback"
        record.exc_text = None
        masked = masking.format(record)
        assert hidden not in masked
        assert masked.count("[secret]") >= 2
        assert "RuntimeError" in masked


def test_a_log_keeps_what_an_operator_needs() -> None:
    line = "10.0.0.7 asked for v7, sha256 " + "ab12" * 16 + ", night 2026-11-24, +49 30 901820"
    assert without_secrets(line) == line


def _failed(said: str) -> logging.LogRecord:
    try:
        raise RuntimeError(said)
    except RuntimeError:
        return logging.LogRecord("bot", logging.ERROR, "x.py", 1, said, (), sys.exc_info())


PROCESS = """
import logging, sys
from store import logs
from store.settings import Settings
logs.start(Settings())
logging.getLogger("slack_sdk").error("failed with %s and %s", *sys.argv[1:])
"""


def test_a_process_that_logs_a_token_writes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SIGNING)
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "-c", PROCESS, BOT_TOKEN, SIGNING]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=None)
    assert done.stderr.count("[secret]") == 2
    assert BOT_TOKEN not in done.stderr
    assert SIGNING not in done.stderr


def test_settings_print_no_secret() -> None:
    settings = Settings(slack_bot_token=SecretStr(BOT_TOKEN), slack_signing_secret=SecretStr(SIGNING))
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert BOT_TOKEN not in shown
    assert SIGNING not in shown
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == BOT_TOKEN
