"""When nights run: once a date in every zone, never by surprise, and by one scheduler."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from zoneinfo import ZoneInfo, available_timezones

import pytest
from apscheduler.triggers.cron import CronTrigger

from store import nights
from store.errors import BadInput
from store.session import Store
from store.settings import NightSettings, Settings
from store.tables import Night
from store.words import NightState
from trainer import night as night_module
from trainer.schedule import Timetable, choose, tick
from trainer.work import Declined, Work

ZONES = [
    *("UTC", "America/New_York", "America/Los_Angeles", "America/Sao_Paulo", "America/St_Johns", "America/Havana"),
    *("America/Santiago", "Europe/Berlin", "Europe/London", "Europe/Lisbon", "Africa/Cairo", "Africa/Casablanca"),
    *("Asia/Tehran", "Asia/Beirut", "Asia/Kolkata", "Asia/Gaza", "Australia/Lord_Howe", "Australia/Sydney"),
    *("Pacific/Auckland", "Pacific/Chatham"),
]


def decline(_: Work) -> None:
    raise Declined("nothing to learn")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nights that end at once; the list fills with the keys of those that ran."""
    ran: list[str] = []

    def curate(work: Work) -> None:
        ran.append(work.night.key)
        decline(work)

    monkeypatch.setattr(night_module, "STAGES", {next(iter(night_module.STAGES)): curate})
    return ran


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", ["00:30", "02:30"])
def test_every_date_of_two_years_has_one_night_in_every_zone(zone: str, at: str) -> None:
    timetable = Timetable(NightSettings(at=at, timezone=zone))
    clock, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    planned: set[date] = set()
    ran: list[date] = []
    while clock < end:
        planned.add(timetable.next_date(clock))
        due = sorted(on for on in planned if timetable.due(on) <= clock)
        planned.difference_update(due)
        ran.extend(due)
        assert len(due) <= 1, f"{due} at once in {zone}"
        clock += timedelta(hours=1)
    first = ran[0]
    assert ran == [first + timedelta(days=number) for number in range(len(ran))]
    assert len(ran) in (729, 730)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_date_of_two_years_has_one_night_in_all_zones_there_are() -> None:
    zones = sorted(available_timezones())
    for zone in zones:
        test_every_date_of_two_years_has_one_night_in_every_zone(zone, "00:30")
        test_every_date_of_two_years_has_one_night_in_every_zone(zone, "02:30")
    print(f"{len(zones)} zones, two times of day, two years: no night lost, none doubled")
    assert len(zones) > 400


@pytest.mark.parametrize(("zone", "at", "change"), [("Europe/Berlin", (0, 30), 3), ("America/New_York", (0, 30), 3)])
def test_the_control_a_daily_trigger_loses_a_night_when_the_clocks_change(
    zone: str, at: tuple[int, int], change: int
) -> None:
    trigger = CronTrigger(hour=at[0], minute=at[1], timezone=zone)
    fired: list[date] = []
    last, moment = None, datetime(2026, change, 1, tzinfo=ZoneInfo(zone))
    while moment.month == change:
        last = trigger.get_next_fire_time(last, moment)
        fired.append(last.date())
        moment = last + timedelta(microseconds=1)
    days = [on for on in fired if on.month == change]
    assert len(set(days)) == 30, "31 days in March"


@pytest.mark.parametrize(
    ("at", "zone"), [("25:00", "UTC"), ("night", "UTC"), ("02:00", "Mars/Base"), ("02:00", "../x")]
)
def test_a_wrong_time_or_zone_is_said(at: str, zone: str) -> None:
    with pytest.raises(BadInput, match="NIGHTSCHOOL_NIGHT__"):
        Timetable(NightSettings(at=at, timezone=zone))


def looks(settings: Settings, store: Store, *moments: datetime) -> list[str]:
    """Look at these moments; the keys of the nights that ran, or an empty word."""
    timetable = Timetable(settings.night)
    found = (tick(settings, store, timetable, moment) for moment in moments)
    return [night.key if night is not None else "" for night in found]


def test_a_first_start_after_the_time_runs_no_night_before_the_next_one(
    settings: Settings, store: Store, quick: list[str], night_settings: Settings
) -> None:
    afternoon = datetime(2026, 6, 1, 14, tzinfo=UTC)
    before, after = datetime(2026, 6, 2, 1, 59, tzinfo=UTC), datetime(2026, 6, 2, 2, 0, tzinfo=UTC)
    assert looks(night_settings, store, afternoon, afternoon, before) == ["", "", ""]
    assert looks(night_settings, store, after, after, after + timedelta(hours=9)) == ["2026-06-02", "", ""]
    assert quick == ["2026-06-02"]


def test_three_days_without_power_lead_to_one_night(store: Store, quick: list[str], night_settings: Settings) -> None:
    start = datetime(2026, 6, 1, 14, tzinfo=UTC)
    back = start + timedelta(days=4)
    assert looks(night_settings, store, start, back, back, back + timedelta(hours=1)) == ["", "2026-06-02", "", ""]
    assert looks(night_settings, store, back + timedelta(hours=12)) == ["2026-06-06"]


def test_a_clock_that_jumps_back_and_forth_doubles_nothing(
    store: Store, quick: list[str], night_settings: Settings
) -> None:
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    jumps = [0, 15, -9, 15, 39, 15, -24 * 365, 39, 40, 63]
    looks(night_settings, store, *(noon + timedelta(hours=hours) for hours in jumps))
    assert len(quick) == len(set(quick))
    assert {"2026-06-02", "2026-06-03", "2026-06-04"} <= set(quick)


def test_an_earlier_time_set_in_the_afternoon_counts_from_tonight(
    store: Store, quick: list[str], night_settings: Settings
) -> None:
    start = datetime(2026, 6, 1, 14, tzinfo=UTC)
    looks(night_settings, store, start)
    night = night_settings.night.model_copy(update={"at": "14:05"})
    sooner = night_settings.model_copy(update={"night": night})
    assert looks(sooner, store, start + timedelta(minutes=1), start + timedelta(minutes=6)) == ["", "2026-06-01"]


def test_a_night_by_hand_starts_at_the_next_look(store: Store, quick: list[str], night_settings: Settings) -> None:
    moment = datetime(2026, 6, 1, 14, tzinfo=UTC)
    looks(night_settings, store, moment)
    with store.writing() as session:
        key = nights.request(session, "U0MEI000001").key
    assert looks(night_settings, store, moment, moment) == [key, ""]


def test_an_interrupted_night_comes_before_everything_else(store: Store) -> None:
    timetable = Timetable(NightSettings())
    moment = datetime(2026, 6, 2, 3, tzinfo=UTC)
    with store.writing() as session:
        nights.plan(session, date(2026, 6, 2))
        asked = nights.request(session, "U0MEI000001")
        session.add(Night(key="2026-06-01", state=NightState.RUNNING))
    with store.reading() as session:
        assert getattr(choose(session, timetable, moment), "key", None) == "2026-06-01"
    with store.writing() as session:
        nights.finish(session, 3, NightState.DONE, "")
        assert choose(session, timetable, moment) == asked
        nights.finish(session, asked.id or 0, NightState.DONE, "")
    with store.reading() as session:
        assert getattr(choose(session, timetable, moment), "key", None) == "2026-06-02"


def test_two_schedulers_run_one_night(store: Store, quick: list[str], night_settings: Settings) -> None:
    stores = [Store(store.engine.url.render_as_string(hide_password=False)) for _ in range(2)]
    start = datetime(2026, 6, 1, 14, tzinfo=UTC)
    barrier = Barrier(2)
    errors: list[BaseException] = []

    def scheduler(own: Store) -> None:
        timetable = Timetable(night_settings.night)
        try:
            for hours in range(0, 24 * 8, 4):
                barrier.wait(30)
                tick(night_settings, own, timetable, start + timedelta(hours=hours))
        except BaseException as error:
            errors.append(error)
            barrier.abort()

    threads = [Thread(target=scheduler, args=[own]) for own in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own in stores:
        own.close()
    assert errors == []
    assert sorted(quick) == [f"2026-06-{day:02}" for day in range(2, 10)]


def test_the_process_takes_up_a_request_within_seconds_and_ends_on_sigterm(night_settings: Settings) -> None:
    store = Store.of(night_settings)
    store.migrate()
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "NIGHTSCHOOL_HOME": str(night_settings.home),
        "NIGHTSCHOOL_MODELS_FOLDER": str(night_settings.models_folder),
    }
    environment.pop("NIGHTSCHOOL_MODELS", None)
    command = [sys.executable, "-c", "from trainer.schedule import *; run_scheduler(Settings())"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        with store.writing() as session:
            key = nights.request(session, "U0MEI000001").key
        deadline = time.monotonic() + 60
        state = NightState.REQUESTED
        while state is not NightState.DECLINED and time.monotonic() < deadline:
            time.sleep(0.2)
            with store.reading() as session:
                state = nights.recent(session, 1)[0].state
        assert state is NightState.DECLINED
        with store.reading() as session:
            assert nights.planned(session)[0].key > key[:9]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        _, log = process.communicate()
        store.close()
    assert f"night {key}: declined" in log
    assert "Traceback" not in log
