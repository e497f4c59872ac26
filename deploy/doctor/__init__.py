"""`nightschool doctor`: looks at an installation, and says what is wrong and what cures it. Changes nothing."""

from collections.abc import Callable, Iterator
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from deploy.doctor import data, machine, model, slack
from deploy.doctor.finding import Finding
from store.errors import NightschoolError
from store.session import Store
from store.settings import load_settings

OF_SETTINGS = (machine.home, machine.disk, machine.tokens_in_the_open, machine.libraries, machine.timetable)
OF_STORE = (data.schema, data.last_night, data.scheduler, data.messages, data.events, data.documents, data.log)
OF_SERVICES = (model.base, model.versions, model.servers, slack.people, slack.tokens)


def examine(say: Callable[[str], None] = lambda _: None) -> Iterator[Finding]:
    """Look at everything that can be looked at; nothing found means all is well."""
    try:
        settings = load_settings()
    except NightschoolError as error:
        yield Finding("settings", str(error), "Correct it in the environment or in nightschool.toml.")
        return
    for check in OF_SETTINGS:
        say(check.__name__)
        yield from check(settings)
    store = None
    with suppress(OSError):
        store = Store.of(settings)
    if store is None:
        return
    try:
        found = list(data.reachable(settings, store))
        yield from found
        if found:
            return
        for look in OF_STORE:
            say(look.__name__)
            try:
                yield from look(settings, store)
            except SQLAlchemyError as error:
                yield Finding(look.__name__, f"The database cannot be read: {error}", "Start any process: it migrates.")
        for ask in OF_SERVICES:
            say(ask.__name__)
            yield from ask(settings, store)
    finally:
        store.close()
