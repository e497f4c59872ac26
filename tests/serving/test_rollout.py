"""Promotion, rollback and repair on a real vLLM: nothing is dropped, nothing broken is served."""

import asyncio
import json
import signal
import time
from pathlib import Path

import psutil
import pytest

from serving.client import Completion, ModelClient
from serving.fleet import Fleet
from serving.reconcile import Reconciler
from serving.rollout import model_for, promote, rollback
from store import adapters
from store.artifacts import folder_manifest, manifest_sha256
from store.errors import AdapterRejected, BadInput, ModelUnavailable, NotFound
from store.session import Store
from store.settings import Settings
from store.tables import BASE, Adapter, Ticket
from store.words import AdapterState, PromotionKind, Surface, Visibility
from tests.fixtures_serving import VllmServer, make_adapter

pytestmark = pytest.mark.slow

TICKET = Ticket(
    team_id="T1", channel_id="C1", thread_ts="1.0", asker_id="U1", surface=Surface.MENTION, visibility=Visibility.PUBLIC
)


@pytest.fixture
def served(vllm_server: VllmServer, settings: Settings) -> Settings:
    """A test's own home and store, on the session's vLLM."""
    return vllm_server.settings_for(settings)


def registered(store: Store, server: VllmServer, settings: Settings, version: int) -> Adapter:
    folder = settings.artifacts / "adapters" / f"v{version}-{version:012x}"
    adapter = make_adapter(server.base, folder, seed=version, scale=0.1)
    with store.writing() as session:
        return adapters.register(session, **adapter.model_dump(exclude={"id"}))


def answering(store: Store) -> str:
    with store.reading() as session:
        return model_for(session, TICKET)[0]


async def test_twenty_streams_across_promotions_end_on_the_version_they_began_with(
    vllm_server: VllmServer, served: Settings, sqlite_store: Store
) -> None:
    fleet, client = Fleet(served), ModelClient(served)
    first, second = (registered(sqlite_store, vllm_server, served, version) for version in (1, 2))
    await promote(sqlite_store, fleet, first.name, "U0MEI000001")
    messages = [{"role": "user", "content": "Tell me about the office."}]
    finished: list[tuple[str, Completion]] = []
    moved = asyncio.Event()
    ended_after_the_move = 0

    async def ask(number: int) -> None:
        nonlocal ended_after_the_move
        # Most begin while the promotion is under way, the last ones as soon as it is done.
        await (moved.wait() if number >= 15 else asyncio.sleep(number * 0.1))
        name = answering(sqlite_store)
        answer = await client.complete(name, messages, max_tokens=70)
        ended_after_the_move += name == "v1" and moved.is_set()
        finished.append((name, answer))

    streams = asyncio.gather(*(ask(number) for number in range(20)))
    await asyncio.sleep(0.4)
    await promote(sqlite_store, fleet, second.name, "U0MEI000001", "better")
    moved.set()
    await streams
    assert len(finished) == 20
    assert {asked for asked, _ in finished} == {"v1", "v2"}
    assert ended_after_the_move, "no stream crossed the promotion, so nothing was tried"
    for asked, answer in finished:
        assert answer.model == asked
        assert answer.text.strip()
    # Each text is far likelier under the version that was asked than under the other one.
    for asked, answer in dict(finished).items():
        other = {"v1": "v2", "v2": "v1"}[asked]
        own_score = (await client.score(asked, messages, answer.text)).mean_logprob
        assert own_score > (await client.score(other, messages, answer.text)).mean_logprob + 0.1
    await client.aclose()
    await fleet.aclose()


async def test_promote_roll_back_and_say_why_not(
    vllm_server: VllmServer, served: Settings, sqlite_store: Store
) -> None:
    fleet = Fleet(served)
    await fleet.wait_ready(60)
    with pytest.raises(BadInput, match="nothing to roll back to"):
        await rollback(sqlite_store, fleet, "U1")
    with pytest.raises(NotFound, match="no version called 'v9'"):
        await promote(sqlite_store, fleet, "v9", "U1")
    for version in (1, 2):
        name = registered(sqlite_store, vllm_server, served, version).name
        await promote(sqlite_store, fleet, name, "U1", "because")
    with pytest.raises(BadInput, match="answers in production already"):
        await promote(sqlite_store, fleet, "v2", "U1")
    assert (await fleet.names())[vllm_server.url] == {BASE, "v1", "v2"}
    started = time.monotonic()
    back = await rollback(sqlite_store, fleet, "U2", "worse")
    assert time.monotonic() - started < 10
    assert (back.kind, back.adapter, back.previous, back.person_id) == (PromotionKind.ROLLBACK, "v1", "v2", "U2")
    assert answering(sqlite_store) == "v1"
    assert (await rollback(sqlite_store, fleet, "U2")).adapter == BASE
    assert answering(sqlite_store) == BASE
    with pytest.raises(BadInput, match="nothing to roll back to"):
        await rollback(sqlite_store, fleet, "U2")
    await fleet.aclose()


async def test_of_two_promotions_at_once_one_wins(
    vllm_server: VllmServer, served: Settings, sqlite_store: Store
) -> None:
    fleet = Fleet(served)
    names = [registered(sqlite_store, vllm_server, served, version).name for version in (1, 2)]
    outcomes = await asyncio.gather(
        *(promote(sqlite_store, fleet, name, "U1") for name in names), return_exceptions=True
    )
    await fleet.aclose()
    lost = [outcome for outcome in outcomes if isinstance(outcome, BadInput)]
    assert len(lost) == 1
    assert "meanwhile" in str(lost[0])
    with sqlite_store.reading() as session:
        assert len(adapters.promotions(session, 10)) == 1


def break_rank(adapter: Adapter) -> None:
    """Change a registered adapter's files, and its row with them, as a broken trainer would."""
    folder = Path(adapter.path)
    folder.chmod(0o755)
    config = folder / "adapter_config.json"
    config.chmod(0o644)
    config.write_text(json.dumps(json.loads(config.read_text()) | {"use_dora": True}))
    adapter.sha256 = manifest_sha256(folder_manifest(folder))


async def test_a_bad_version_is_refused_before_vllm_and_stays_refused(
    vllm_server: VllmServer, served: Settings, sqlite_store: Store
) -> None:
    fleet = Fleet(served)
    adapter = registered(sqlite_store, vllm_server, served, 1)
    break_rank(adapter)
    with sqlite_store.writing() as session:
        session.add(adapter)
    with pytest.raises(AdapterRejected, match="use_dora"):
        await promote(sqlite_store, fleet, "v1", "U1")
    with pytest.raises(AdapterRejected, match=r"was rejected and stays so: .*use_dora"):
        await promote(sqlite_store, fleet, "v1", "U1")
    assert (await fleet.names())[vllm_server.url] == {BASE}
    assert answering(sqlite_store) == BASE
    await fleet.aclose()


async def test_without_a_server_production_stays(
    served: Settings, vllm_server: VllmServer, sqlite_store: Store
) -> None:
    registered(sqlite_store, vllm_server, served, 1)
    nowhere = served.model_copy(update={"serving": served.serving.model_copy(update={"urls": ["http://127.0.0.1:1"]})})
    fleet = Fleet(nowhere)
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await promote(sqlite_store, fleet, "v1", "U1")
    with pytest.raises(ModelUnavailable, match="not ready within 1 s"):
        await fleet.wait_ready(1)
    await fleet.aclose()
    assert answering(sqlite_store) == BASE
    with sqlite_store.reading() as session:
        assert adapters.get(session, "v1").state == AdapterState.CANDIDATE


async def test_after_kill_9_the_adapters_come_back_and_a_broken_one_is_put_aside(
    vllm_server: VllmServer, served: Settings, sqlite_store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    fleet, client = Fleet(served), ModelClient(served)
    reconciler = Reconciler(sqlite_store, fleet, served)
    for version in (1, 2):
        await promote(sqlite_store, fleet, registered(sqlite_store, vllm_server, served, version).name, "U1")
    candidate = registered(sqlite_store, vllm_server, served, 3)
    await reconciler.once()
    assert (await fleet.names())[vllm_server.url] == {BASE, "v1", "v2", "v3"}

    family = psutil.Process(vllm_server.pid).children(recursive=True)
    assert family, "the engine is expected to be a process of its own"
    await asyncio.to_thread(vllm_server.stop, how=signal.SIGKILL)
    _, alive = await asyncio.to_thread(psutil.wait_procs, family, timeout=10)
    assert not alive, "an orphan keeps the model in memory"
    caplog.clear()
    await reconciler.once()
    await reconciler.once()
    assert [record.message for record in caplog.records].count(f"{vllm_server.url} does not answer") == 1

    (Path(candidate.path) / "adapter_model.safetensors").chmod(0o644)
    with (Path(candidate.path) / "adapter_model.safetensors").open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")
    await asyncio.to_thread(vllm_server.start)
    assert (await fleet.names())[vllm_server.url] == {BASE}
    await reconciler.once()
    assert (await fleet.names())[vllm_server.url] == {BASE, "v1", "v2"}
    answer = await client.complete(answering(sqlite_store), [{"role": "user", "content": "Hello"}], max_tokens=4)
    assert answer.model == "v2"
    with sqlite_store.reading() as session:
        broken = adapters.get(session, "v3")
    assert broken.state == AdapterState.REJECTED
    assert "sha256 differs" in broken.note
    caplog.clear()
    await reconciler.once()
    assert not [record for record in caplog.records if record.name == "serving.reconcile"]
    await client.aclose()
    await fleet.aclose()
