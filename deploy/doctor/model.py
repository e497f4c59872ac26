"""The base model, the versions on disk, and the model servers."""

import asyncio
from collections.abc import Iterator

from deploy.doctor.finding import Finding
from serving import preflight
from serving.base_model import ensure_base_model
from serving.client import ModelClient
from serving.fleet import Fleet
from store import adapters
from store.errors import NightschoolError
from store.session import Store
from store.settings import Settings
from store.tables import BASE

ASKED_WITHIN_S = 20.0


def base(settings: Settings, store: Store) -> Iterator[Finding]:
    """The base model's files are there and whole."""
    del store
    try:
        ensure_base_model(settings, lambda _: None)
    except NightschoolError as error:
        yield Finding(
            "base model", str(error), "Set NIGHTSCHOOL_BASE_MODEL, or delete its folder to have it made anew."
        )


def versions(settings: Settings, store: Store) -> Iterator[Finding]:
    """What answers, and what may have to, is on disk as it was registered."""
    with store.reading() as session:
        wanted = adapters.desired(session)
    if not wanted:
        return
    try:
        model = ensure_base_model(settings, lambda _: None)
    except NightschoolError:
        return
    for adapter in wanted:
        try:
            preflight.check(adapter, model, settings)
        except NightschoolError as error:
            cure = "Restore its folder from a backup, or `nightschool rollback` to one that is whole."
            yield Finding("versions", str(error), cure)


def servers(settings: Settings, store: Store) -> Iterator[Finding]:
    """Every model server answers, and holds what production needs."""
    with store.reading() as session:
        production = adapters.answering(session)
    yield from asyncio.run(_asked(settings, production))


async def _asked(settings: Settings, production: str) -> list[Finding]:
    fleet, client = Fleet(settings), ModelClient(settings)
    try:
        held = await fleet.names()
        away = [url for url in fleet.urls if url not in held]
        found = [Finding("model server", f"{url} does not answer.", _start(settings)) for url in away]
        lacking = [url for url, names in held.items() if production not in names]
        for url in lacking:
            words = f"{url} does not hold {production}, which answers in production."
            cure = "The bot loads it within seconds: start `nightschool bot`, or look into its log."
            found.append(Finding("model server", words, cure if production != BASE else "Serve the model as `base`."))
        if held and not found:
            try:
                async with asyncio.timeout(ASKED_WITHIN_S):
                    await client.complete(BASE, [{"role": "user", "content": "Hello"}], max_tokens=1)
            except (NightschoolError, TimeoutError) as error:
                words = f"The model does not answer a question: {error or 'it took too long.'}"
                found.append(Finding("model server", words, _start(settings)))
        return found
    finally:
        await fleet.aclose()
        await client.aclose()


def _start(settings: Settings) -> str:
    if settings.serving.urls:
        return "Start it, check NIGHTSCHOOL_SERVING__URLS and that NIGHTSCHOOL_SERVING__API_KEY is its key."
    return "Start `nightschool serve`, or look into logs/serve.log why it stopped."
