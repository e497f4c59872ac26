"""A home of the year's own: no setting of the installation can lead to the production store, Slack or vLLM."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.settings import Settings, load_settings

APART = {
    "NIGHTSCHOOL_DATABASE_URL": "",
    "NIGHTSCHOOL_SERVING__URLS": "[]",
    "NIGHTSCHOOL_PAGE_PORT": "0",
    "NIGHTSCHOOL_HTTP_PORT": "",
    "NIGHTSCHOOL_TRAINING__REPORT_TO": "",
}
"""What keeps the year away from production."""

COMPRESSED = {
    # An approved answer would be the reviewer's, not the version's.
    "NIGHTSCHOOL_APPROVED_ANSWERS": "false",
    # One reviewer who knows every answer, four people who ask, and a day that takes minutes.
    "NIGHTSCHOOL_SECOND_OPINION_SHARE": "0",
    "NIGHTSCHOOL_CURATION__BURST_REVIEWS": "0",
    "NIGHTSCHOOL_CURATION__NEW_ACCOUNTS": "0",
    "NIGHTSCHOOL_CURATION__ASKER_SHARE": "1",
    "NIGHTSCHOOL_REMIND_AFTER_H": "0",
    "NIGHTSCHOOL_FIRST_USE_NOTICES": "false",
    "NIGHTSCHOOL_DIGEST__ENABLED": "false",
    "NIGHTSCHOOL_SAMPLE_COMPANY": "false",
    "NIGHTSCHOOL_REVIEWERS": "",
    "NIGHTSCHOOL_ADMINS": "",
    "NIGHTSCHOOL_ADMIN_CHANNEL": "",
}
"""What a year in an hour needs: limits that count minutes or people would take it for an attack."""

SLACK = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_API_URL")


@contextmanager
def own_home(folder: Path) -> Iterator[Settings]:
    """The settings of the installation, moved into a home of their own while the block runs, for children too.

    Raises:
        BadInput: a setting does not fit.
    """
    models = load_settings().models
    before = dict(os.environ)
    for name in SLACK:
        os.environ.pop(name, None)
    os.environ.update(APART | COMPRESSED)
    os.environ.update(NIGHTSCHOOL_HOME=str(folder.resolve()), NIGHTSCHOOL_MODELS_FOLDER=str(models))
    try:
        yield load_settings()
    finally:
        os.environ.clear()
        os.environ.update(before)
