"""The longest things that admins can come to see."""

from datetime import timedelta

from bot.blocks.home.operating import Operations
from bot.blocks.home.places import Places
from bot.blocks.home.versions import Version, Versions
from store.lineage import Lineage
from store.tables import Adapter, Channel, DutyGrant, Promotion, now
from store.usage import Figures
from store.words import AdapterState, Answering, Duty, GateVerdict, PromotionKind

LONG = "<!channel> & *x* `y` ~z~ _w_ " * 400


def version(name: str, state: AdapterState, **fields: object) -> Version:
    adapter = Adapter(
        version=int(name[1:]), name=name, path="/", sha256="s", base_model=LONG, base_sha256="b", rank=4, state=state,
        note=LONG, **fields,
    )  # fmt: skip
    return Version(Lineage(adapter, "2026-11-24", 1234, "v6", GateVerdict.PROMOTE, [move(name)] * 3))


def move(name: str) -> Promotion:
    return Promotion(kind=PromotionKind.PROMOTE, adapter=name, previous="base", person_id="U1", reason=LONG)


def big_operations() -> Operations:
    """As many versions, channels and people as are ever shown, with long texts wherever people can write some."""
    shown = [version(f"v{number}", AdapterState.CANDIDATE) for number in range(6)]
    channel = Channel(
        team_id="T", channel_id="C123", answering=Answering.QUESTIONS, min_confidence=0.5, trainable=False,
        documents=False, persona=LONG, on_call="S0123456",
    )  # fmt: skip
    grants = [DutyGrant(person_id=f"U{number}", duty=Duty.REVIEWER, granted_by="U1") for number in range(200)]
    return Operations(
        versions=Versions("v9", shown, "v8", [move("v9")] * 3, "v1", now() + timedelta(hours=1)),
        night=[LONG] * 4,
        usage=Figures(99999, 99999, 10**9, 9999, 999, 9999, 999, 1234.5),
        places=Places([channel] * 40, ["U1"], ["U2"], grants),
    )
