"""The command line: the table of contents of the product. `nightschool --help` lists what it can do.

Every command imports what it needs when it runs, so that the help appears at once.
"""

import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from store.errors import BadInput, NightschoolError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from serving.fleet import Fleet
    from store.session import Store
    from store.settings import Settings

SHOWN_BAD_LINES = 20

Done = TypeVar("Done")
"""What a command brings back from the model servers."""

app = typer.Typer(
    no_args_is_help=True,
    help="A Slack support bot that goes to school every night.",
    pretty_exceptions_enable=False,
)

TICKETS, KNOWLEDGE, VERSIONS, NIGHTS, PROCESSES = "Past tickets", "Documents", "Versions", "Nights", "Processes"
AUDIT, DATA = "Audit log", "Data"

night_app = typer.Typer()
app.add_typer(night_app, name="night", rich_help_panel=NIGHTS)
audit_app = typer.Typer(
    no_args_is_help=True,
    help="Who did what, in a log that shows when it was changed.\n\nExample: nightschool audit verify",
)
app.add_typer(audit_app, name="audit", rich_help_panel=AUDIT)
canary_app = typer.Typer(
    no_args_is_help=True,
    help="Have a version answer a part of the threads beside production.\n\nExample: nightschool canary start v7",
)
app.add_typer(canary_app, name="canary", rich_help_panel=VERSIONS)
knowledge_app = typer.Typer(
    no_args_is_help=True,
    help="Documents that are looked up for answers.\n\nExample: nightschool knowledge add handbook/",
)
app.add_typer(knowledge_app, name="knowledge", rich_help_panel=KNOWLEDGE)


@app.command("import", rich_help_panel=TICKETS)
def import_file(
    file: Annotated[Path, typer.Argument(help="JSONL or CSV with a question and an answer in each line.")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="NAME=COLUMN", help="Which of the file's columns holds one of our fields."),
    ] = None,
    errors: Annotated[Path | None, typer.Option(help="Write every bad line, with its reason, to this file.")] = None,
) -> None:
    """Take past tickets as accepted answers to learn from; what is there already is left alone.

    Fields: question, answer; optional: id, topic, asker, created_at.

    Example: nightschool import tickets.csv --map question=Subject --map answer=Reply
    """
    from rich.progress import Progress

    from store.import_tickets import import_tickets

    settings, store = _open_store()
    with Progress(transient=True, disable=not sys.stdout.isatty()) as progress:
        task = progress.add_task(f"Reading {file.name}", total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        report = import_tickets(store, settings, file, _mapping(mapping or []), show)
    typer.echo(report.in_words(SHOWN_BAD_LINES))
    if errors is not None:
        report.write_bad_lines(errors)


@app.command("export", rich_help_panel=TICKETS)
def export_file(file: Annotated[Path, typer.Argument(help="The JSONL file to write.")]) -> None:
    """Write the accepted and corrected answers as chat-format JSONL, for any training tool.

    Example: nightschool export lessons.jsonl
    """
    from store.export_tickets import export_tickets

    settings, store = _open_store()
    typer.echo(f"Wrote {export_tickets(store, settings, file):,} answers to {file}.")


@app.command(rich_help_panel=TICKETS)
def forget(person: Annotated[str, typer.Argument(help="The person's Slack id, such as U0ANA000001.")]) -> None:
    """Wipe all that a person wrote and was answered, in the store and the datasets; names the versions that saw it.

    Example: nightschool forget U0ANA000001
    """
    from store import erasure
    from trainer.curate.purge import purge_datasets

    _, store = _open_store()
    with store.writing() as session:
        gone = erasure.forget(session, person, _person())
    datasets = purge_datasets(store)
    typer.echo(
        f"Wiped: {gone.tickets} tickets, {gone.messages} messages, {gone.answers} answers, {gone.votes} votes, "
        f"{gone.events} events, and rows of {datasets} datasets. Exports and backups that you made are yours to clean."
    )
    if gone.versions:
        typer.echo(f"Trained on some of it: {', '.join(gone.versions)}. Their weights cannot be wiped; retire them.")


@app.command(rich_help_panel=VERSIONS)
def lineage(
    name: Annotated[str, typer.Argument(help="A version, such as v3, or a ticket's number.")],
) -> None:
    """Show which tickets taught a version, or which versions learnt a ticket.

    Example: nightschool lineage v3
    """
    from store import adapters
    from store import lineage as learnt

    _, store = _open_store()
    with store.reading() as session:
        if name.isdigit():
            taught = ", ".join(learnt.versions_of(session, [int(name)])) or "no version"
            typer.echo(f"Ticket {name} was learnt by {taught}.")
            return
        rows = [(t.id, t.created_at, t.question) for t in learnt.tickets_of(session, adapters.get(session, name).name)]
    _print_table(f"{name} was taught by {len(rows)} tickets", ["Ticket", "Asked", "Question"], rows)


@app.command(rich_help_panel=VERSIONS)
def versions() -> None:
    """List the versions of the adapter, and the latest moves of production.

    Example: nightschool versions
    """
    from store import adapters

    _, store = _open_store()
    with store.reading() as session:
        production = adapters.production(session)
        known = adapters.versions(session)
        moves = adapters.promotions(session, 10)
    rows = [(a.name, "in production" if a.name == production else a.state, a.created_at, a.note) for a in known]
    _print_table("Versions", ["Version", "State", "Made", "Note"], rows)
    history = [(m.created_at, m.kind, m.previous, m.adapter, m.person_id, m.reason) for m in moves]
    _print_table("Latest moves", ["When", "Move", "From", "To", "By", "Why"], history)
    typer.echo(f"Production answers with {production}.")


@app.command(rich_help_panel=VERSIONS)
def promote(
    name: Annotated[str, typer.Argument(help="A version, such as v7.")],
    reason: Annotated[str, typer.Option(help="Why, for the record; needed where the evidence is against it.")] = "",
) -> None:
    """Let a version answer from now on; answers that are being written end on the old one.

    Example: nightschool promote v7 --reason "better on refunds"
    """
    from serving import rollout
    from store import evaluations

    _, opened = _open_store()
    with opened.reading() as session:
        evaluations.check_note(session, name, reason)
    moved = _with_fleet(lambda store, fleet: rollout.promote(store, fleet, name, _person(), reason))
    typer.echo(f"Production answers with {moved.adapter}, before it was {moved.previous}.")


@app.command(rich_help_panel=VERSIONS)
def rollback(reason: Annotated[str, typer.Option(help="Why, for the record.")] = "") -> None:
    """Go back to the version that answered before.

    Example: nightschool rollback --reason "wrong phone number"
    """
    from serving import rollout

    moved = _with_fleet(lambda store, fleet: rollout.rollback(store, fleet, _person(), reason))
    typer.echo(f"Production answers with {moved.adapter} again, before it was {moved.previous}.")


@app.command(rich_help_panel=PROCESSES)
def doctor() -> None:
    """Look at settings, machine, database, versions, model servers and Slack, and say what is wrong and what cures it.

    Example: nightschool doctor
    """
    from deploy.doctor import examine

    found = list(examine())
    for finding in found:
        typer.echo(f"✗ {finding.about}: {finding.problem}\n  {finding.cure}")
    typer.echo(f"{len(found)} faults found." if found else "✓ Everything is as it should be.")
    if found:
        raise typer.Exit(1)


@app.command(rich_help_panel=DATA)
def backup(file: Annotated[Path, typer.Argument(help="A new file, such as backup.tar.")]) -> None:
    """Write database, artifacts and documents into one file, while everything runs.

    Example: nightschool backup "nightschool-$(date +%F).tar"
    """
    from store.backup import back_up

    settings, store = _open_store()
    made = back_up(settings, store, file, typer.echo)
    size = file.stat().st_size / 1024**2
    typer.echo(f"{file}: {sum(made.rows.values()):,} rows and {len(made.files) - 1:,} files, {size:,.1f} MB.")


@app.command(rich_help_panel=DATA)
def restore(file: Annotated[Path, typer.Argument(help="A file that `nightschool backup` wrote.")]) -> None:
    """Bring a backup back into an empty home and an empty database. Nothing is ever overwritten.

    Example: NIGHTSCHOOL_HOME=/srv/nightschool nightschool restore backup.tar
    """
    from store.backup import restore as bring_back

    settings = _settings()
    made = bring_back(settings, file, typer.echo)
    typer.echo(f"Restored {sum(made.rows.values()):,} rows and {len(made.files) - 1:,} files to {settings.home}.")


@app.command("move-database", rich_help_panel=DATA)
def move_database(
    url: Annotated[str, typer.Argument(help="Of an empty database: postgresql+psycopg://user:password@host/name")],
) -> None:
    """Copy every row into another database. Stop the bot and the scheduler first, and set the address afterwards.

    Example: nightschool move-database postgresql+psycopg://bot:secret@db/nightschool
    """
    from store import copying
    from store.session import Store as Opened

    _, store = _open_store()
    target = Opened(url)
    try:
        counts = copying.move(store, target, typer.echo)
    finally:
        target.close()
    typer.echo(
        f"{sum(counts.values()):,} rows copied. Set NIGHTSCHOOL_DATABASE_URL to the new address, and start again."
    )


@app.command(rich_help_panel=NIGHTS)
def compare(
    version: Annotated[str, typer.Option(help="The version to compare; the one in production by default.")] = "",
    tickets: Annotated[int, typer.Option(min=1, help="How many held-out tickets are asked at most.")] = 60,
    long_prompt: Annotated[
        Path | None, typer.Option(help="The team's long prompt; made of the documents if none.")
    ] = None,
) -> None:
    """Prompt, retrieval or fine-tuning: answer held-out tickets in six ways, and say which pays.

    Example: nightschool compare --version v7 --tickets 40
    """
    from trainer.compare.run import compare as run_comparison

    settings, store = _open_store()
    try:
        told = long_prompt.read_text(encoding="utf-8") if long_prompt else ""
    except (OSError, UnicodeError) as error:
        raise BadInput(f"{long_prompt} cannot be read: {error}") from error
    folder = run_comparison(settings, store, version=version, tickets=tickets, long_prompt=told, say=typer.echo)
    typer.echo(f"Table and chart: {folder / 'comparison.md'}")


@canary_app.command("start")
def start_canary(
    name: Annotated[str, typer.Argument(help="A version, such as v7.")],
    share: Annotated[float, typer.Option(help="Share of the new threads, above 0 and at most 1.")] = 0.1,
    channel: Annotated[list[str] | None, typer.Option(help="Only in this channel, by its id; repeatable.")] = None,
    person: Annotated[list[str] | None, typer.Option(help="Only from this person, by their id; repeatable.")] = None,
) -> None:
    """Begin a canary; it is rolled back by itself if it does worse than production by more than chance.

    Example: nightschool canary start v7 --share 0.1
    """
    from serving import rollout
    from store.canaries import Part

    part = Part(share, channel or [], person or [])
    begun = _with_fleet(lambda store, fleet: rollout.start_canary(store, fleet, name, part, _person()))
    typer.echo(f"{begun.adapter} answers {100 * begun.share:.3g} % of the new threads of its part from now on.")


@canary_app.command("stop")
def stop_canary(reason: Annotated[str, typer.Option(help="Why, for the record.")] = "") -> None:
    """End the canary: production answers its threads from now on.

    Example: nightschool canary stop --reason "enough seen"
    """
    from store import canaries

    _, store = _open_store()
    with store.writing() as session:
        name = canaries.stop(session, reason, _person())
    typer.echo(f"Stopped. Production answers the threads of {name} from now on.")


@canary_app.command("status")
def canary_status() -> None:
    """Show how the canary does against production, and the last ones.

    Example: nightschool canary status
    """
    from serving.canary import judge
    from store import canaries
    from store.canary_tally import tally

    settings, store = _open_store()
    with store.reading() as session:
        known = canaries.latest(session, 10)
        now_running = canaries.running(session)
        standing = judge(tally(session, now_running), settings.canary).words if now_running else ""
    rows = [(c.started_at, c.adapter, c.champion, f"{100 * c.share:.3g} %", c.outcome, c.reason) for c in known]
    _print_table("Canaries", ["Begun", "Version", "Beside", "Share", "Outcome", "Why"], rows)
    typer.echo(f"{now_running.adapter} is running. {standing}" if now_running else "No canary is running.")


@knowledge_app.command("add")
def add_documents(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders: Markdown, HTML, PDF, text, .jsonl lists.")],
    channel: Annotated[str, typer.Option(help="Id of the only channel that may see them; none for everybody.")] = "",
) -> None:
    """Copy documents into the documents folder and index them. A file of the same name is replaced.

    Example: nightschool knowledge add handbook/ prices.md --channel C0SUPPORT01
    """
    from store.knowledge import folder

    settings, store = _open_store()
    added = folder.add(paths, settings.documents, channel)
    changes = folder.update(store, settings.documents, settings.knowledge.base_url, typer.echo)
    for source, problem in changes.problems.items():
        typer.echo(f"{source} cannot be used: {problem}", err=True)
    usable = len(added) - sum(source.split("#")[0] in changes.problems for source in added)
    typer.echo(f"{usable} of {len(added)} files can be looked up now.")
    if usable < len(added):
        raise typer.Exit(1)


@knowledge_app.command("list")
def list_documents() -> None:
    """Show every document, who may see it, and what could not be read.

    Example: nightschool knowledge list
    """
    from store.knowledge import library

    settings, store = _open_store()
    with store.reading() as session:
        known = library.documents(session)
    rows = [(d.source, d.title, d.channel_id or "everybody", d.updated_at, d.problem) for d in known]
    _print_table("Documents", ["Document", "Title", "For", "Changed", "Problem"], rows)
    typer.echo(f"{len(known)} documents; their folder is {settings.documents}.")


@knowledge_app.command("remove")
def remove_document(source: Annotated[str, typer.Argument(help="A document as `knowledge list` names it.")]) -> None:
    """Delete a document from the documents folder, so that it is no longer looked up.

    Example: nightschool knowledge remove prices.md
    """
    from store.knowledge import folder

    settings, store = _open_store()
    folder.take_out(source, settings.documents)
    folder.update(store, settings.documents, settings.knowledge.base_url)
    typer.echo(f"{source} is no longer looked up.")


@knowledge_app.command("search")
def search_documents(
    question: Annotated[str, typer.Argument(help="A question, as somebody would ask it.")],
    channel: Annotated[str, typer.Option(help="Id of the channel in which it is asked.")] = "",
) -> None:
    """Show the passages that a question would be answered with, and how sure it is that one answers it.

    Example: nightschool knowledge search "How long do refunds take?"
    """
    import asyncio

    from serving.embeddings import Embeddings
    from store.knowledge.shelf import Shelf

    settings, store = _open_store()
    embeddings = Embeddings(settings.knowledge)
    shelf = Shelf(embeddings.model)
    with store.reading() as session:
        shelf.refresh(session)
    # How a failure reads is logged by it, and the search goes on by words.
    vector = asyncio.run(embeddings.of_question(question))
    for passage in shelf.find(question, channel, settings.knowledge.passages, vector):
        typer.echo(f"[{passage.number}] {passage.label} ({passage.source})\n{passage.text}\n")
    certainty = shelf.certainty(question, channel)
    least = settings.knowledge.least_certainty
    typer.echo(
        f"Certainty {certainty:.2f}: {'a document answers this' if certainty >= least else 'none answers this'}."
    )


@night_app.callback(invoke_without_command=True)
def night(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would learn.")] = False,
) -> None:
    """Run a night now: curate, train, register, evaluate, report. Needs the model server to be running.

    Example: nightschool night --dry-run
    """
    if context.invoked_subcommand is not None:
        return
    settings, store = _open_store()
    if dry_run:
        from trainer.preview import preview

        typer.echo("\n".join(preview(settings, store, typer.echo).lines()))
        return
    from trainer.night import run_night

    run_night(settings, store, requested_by="command line", say=typer.echo)


@night_app.command("cancel")
def cancel_night() -> None:
    """End the night that is running, within seconds; asked for again within a day, it goes on where it stood.

    Example: nightschool night cancel
    """
    from store import nights as past_nights

    _, store = _open_store()
    with store.writing() as session:
        key = past_nights.cancel(session, _person()).key
    typer.echo(f"Night {key} is cancelled; `nightschool night` goes on with it.")


@night_app.command("show")
def show_night(key: Annotated[str, typer.Argument(help="The night, as `nightschool nights` names it.")]) -> None:
    """Show one night: its stages, its dataset, its training and its comparison.

    Example: nightschool night show 2026-11-24
    """
    from store import nights as past_nights
    from store.night_history import history

    _, store = _open_store()
    with store.reading() as session:
        tables = history(session, past_nights.by_key(session, key))
    for table in tables:
        _print_table(table.title, table.columns, table.rows)


@app.command(rich_help_panel=NIGHTS)
def nights(limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 10) -> None:
    """List the latest nights and how they ended.

    Example: nightschool nights --limit 30
    """
    from store import nights as past_nights

    _, store = _open_store()
    with store.reading() as session:
        rows = [
            (n.key, n.state, n.requested_by, n.created_at, n.outcome) for n in past_nights.recent(session, limit=limit)
        ]
    _print_table("Nights", ["Night", "State", "Asked by", "Began", "Outcome"], rows)


@app.command(rich_help_panel=NIGHTS)
def simulate(
    file: Annotated[Path, typer.Argument(help="JSONL or CSV: question, answer, and created_at, date or night.")],
    nights: Annotated[int, typer.Option(min=1, help="How many days and nights, from the first of the file.")] = 14,
    tickets_per_night: Annotated[int, typer.Option(min=1, help="At most so many questions a day.")] = 12,
    out: Annotated[Path, typer.Option(help="The folder for report, picture and all state.")] = Path("school-year"),
    documents: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="What retrieval searches, instead of past tickets."),
    ] = None,
    promote_all: Annotated[
        bool, typer.Option("--promote-all", help="Promote also what the gate holds; never what it advises against.")
    ] = False,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="NAME=COLUMN", help="Which of the file's columns holds one of our fields."),
    ] = None,
) -> None:
    """Live a school year on dated tickets: asked day by day, reviewed, learnt at night; draws the learning curve.

    Everything runs in the folder --out, beside the installation; the same command goes on where it stopped. A day is
    a value of `night`, or else a date.

    Example: nightschool simulate tickets.jsonl --nights 14 --map answer=reply --promote-all
    """
    from deploy.school_year.year import Options, simulate

    options = Options(out, _mapping(mapping or []), nights, tickets_per_night, promote_all, documents)
    try:
        written = simulate(file, options, typer.echo)
    except KeyboardInterrupt:
        typer.echo("Stopped; the same command goes on from here.", err=True)
        sys.exit(130)
    typer.echo(f"{written} is written.")


@app.command(rich_help_panel=NIGHTS)
def report(
    key: Annotated[str, typer.Argument(help="The night, as `nightschool nights` names it.")],
    out: Annotated[Path | None, typer.Option(help="The file to write; it must not be there yet.")] = None,
) -> None:
    """Write the full report of a night as one HTML page: every held-out ticket with both answers.

    Example: nightschool report 2026-11-24 --out report.html
    """
    from store import artifacts
    from store import nights as past_nights
    from trainer.report_page import page

    settings, store = _open_store()
    with store.reading() as session:
        html = page(session, settings, past_nights.by_key(session, key))
    file = out or Path(f"report-{key}.html")
    if file.exists():
        raise BadInput(f"{file} is there already: name another file with --out.")
    artifacts.write_bytes(file, html.encode())
    typer.echo(f"{file} is written: open it in a browser.")


@audit_app.command("list")
def list_audit(
    limit: Annotated[int, typer.Option(min=1, help="How many to show, the newest first.")] = 20,
    action: Annotated[str, typer.Option(help="Only acts of this kind, such as promote.")] = "",
    about: Annotated[str, typer.Option(help="Only what was done to one thing, such as 'adapter v7'.")] = "",
) -> None:
    """List acts on record: decisions, versions, settings, roles, exports, opt-outs, erasures.

    Example: nightschool audit list --action promote
    """
    from store import audit_trail

    _, store = _open_store()
    with store.reading() as session:
        rows = audit_trail.listed(session, audit_trail.Wanted(action, about, limit))
    _print_table("Audit log", ["No.", "When", "Act", "By", "To", "About", "Details"], [row.cells for row in rows])


@audit_app.command("verify")
def verify_audit(
    since: Annotated[str, typer.Option(metavar="N:HASH", help="The end of the log as it was seen before.")] = "",
) -> None:
    """Check that no entry was changed, removed, put in or cut off; names the first that was, and exits with 1.

    Example: nightschool audit verify --since 412:9f2c…
    """
    from store import audit_trail

    _, store = _open_store()
    with store.reading() as session:
        head = audit_trail.verify(session, audit_trail.Seen.read(since))
    typer.echo(f"{head.entries:,} entries, every one in its place.")
    typer.echo(f"Keep this outside the database, to check against later: --since {head}")


@app.command(rich_help_panel=PROCESSES)
def run() -> None:
    """Start everything on this machine: model, model server, local Slack workspace, bot, scheduler.

    Example: nightschool run
    """
    from deploy import local

    local.run(_settings())


@app.command(rich_help_panel=PROCESSES)
def serve() -> None:
    """Become the model server (vLLM) with the flags that the settings imply.

    Example: NIGHTSCHOOL_BASE_MODEL=Qwen/Qwen3-0.6B nightschool serve
    """
    from serving import launch

    launch.exec_vllm(_settings())


@app.command(rich_help_panel=PROCESSES)
def bot() -> None:
    """Be the Slack bot, until stopped.

    Example: SLACK_BOT_TOKEN=xoxb-… SLACK_APP_TOKEN=xapp-… nightschool bot
    """
    from bot.app import run_bot

    run_bot(_settings())


@app.command(rich_help_panel=PROCESSES)
def scheduler() -> None:
    """Start the night when it is due or asked for, until stopped.

    Example: NIGHTSCHOOL_NIGHT__AT=02:30 nightschool scheduler
    """
    from trainer.schedule import run_scheduler

    run_scheduler(_settings())


@app.command(rich_help_panel=PROCESSES, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def workspace(context: typer.Context) -> None:
    """Be the local Slack workspace and its page, until stopped; `python -m deploy.workspace --help` has its options.

    Example: nightschool workspace --folder .nightschool/workspace --port 8484
    """
    from deploy.workspace.__main__ import main as run_workspace

    # The workspace stands alone and reads its own arguments, as `python -m deploy.workspace` would have them.
    sys.argv = ["nightschool workspace", *context.args]
    typer.run(run_workspace)


def _settings() -> "Settings":
    from store.settings import load_settings

    return load_settings()


def _open_store() -> "tuple[Settings, Store]":
    from store.session import Store

    settings = _settings()
    try:
        store = Store.of(settings)
    except OSError as error:
        raise BadInput(f"{settings.home} cannot be written: {error.strerror}. Change NIGHTSCHOOL_HOME.") from error
    store.migrate()
    return settings, store


def _with_fleet(do: "Callable[[Store, Fleet], Awaitable[Done]]") -> "Done":
    import asyncio

    from serving.fleet import Fleet

    settings, store = _open_store()

    async def doing() -> "Done":
        fleet = Fleet(settings)
        try:
            return await do(store, fleet)
        finally:
            await fleet.aclose()

    return asyncio.run(doing())


def _person() -> str:
    from store.audit import who_runs_this

    return who_runs_this()


def _mapping(pairs: list[str]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not (name and equals and column):
            raise BadInput(f"--map takes NAME=COLUMN, as in --map answer=reply, not {pair!r}.")
        mapping[name] = column
    return mapping


def _print_table(title: str, columns: list[str], rows: "Sequence[tuple[object, ...]]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        cells = [f"{cell:%Y-%m-%d %H:%M} UTC" if isinstance(cell, datetime) else str(cell) for cell in row]
        # As Text, since a note or an outcome may hold square brackets, which rich would read as styling.
        table.add_row(*map(Text, cells))
    Console().print(table)


def _log_traceback() -> str:
    try:
        path = _settings().logs / "errors.log"
        from store.redact import without_secrets

        path.parent.mkdir(parents=True, exist_ok=True)
        said = without_secrets(f"{' '.join(sys.argv)}\n{traceback.format_exc()}")
        with path.open("a") as log:
            log.write(f"{datetime.now().astimezone().isoformat()} {said}\n")
    except (OSError, NightschoolError):
        return f"The details, since no log can be written:\n{traceback.format_exc()}"
    return f"The details are in {path}: please report them."


def main() -> None:
    """Run the command line: a known problem ends in a sentence, an unknown one in a sentence and a log."""
    try:
        app()
    except NightschoolError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
    except Exception as error:
        typer.echo(f"Something went wrong that we had not foreseen: {error!r}. {_log_traceback()}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
