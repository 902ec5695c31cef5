"""``ccphva-harvest``: try a source file without a portal. Answers in JSON Lines on standard output.

Exit status: 0 well ended, 1 the source or some records failed, 2 the source file or the call is wrong.
Imports the package root's parts.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from .catalogues import JsonlCatalogue, MemoryCatalogue
from .config import SourceFile, load_file
from .errors import ConfigError, HarvestError
from .http import Client
from .model import Dataset, Outcome, RunReport, TableOutcome
from .protocols import RowSource, Source
from .rows import peek
from .run import harvest
from .sources.onem2m import OneM2MSource, follow
from .tables import JsonlTables, MemoryTables

_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_ALLOW = click.option(
    "--allow-network",
    "allowed",
    multiple=True,
    metavar="CIDR",
    help="Also talk to this network, as 127.0.0.0/8. May be given several times.",
)


@click.group()
def main() -> None:
    """Try a harvest source without a portal; answers in JSON Lines."""


@main.command()
@_FILE
@_ALLOW
def check(file: Path, allowed: tuple[str, ...]) -> None:
    """Check FILE and reach its source."""
    source_file = _load(file)
    with _client(allowed) as client:
        try:
            _say({"ok": True, "says": source_file.build_source(client).check()})
        except HarvestError as exc:
            _say({"ok": False, "error": str(exc)})
            sys.exit(1)


@main.command()
@_FILE
@_ALLOW
@click.option("--limit", default=20, show_default=True, help="Number of records to read.")
@click.option("--rows", default=5, show_default=True, help="Number of rows of each table to show.")
def preview(file: Path, allowed: tuple[str, ...], limit: int, rows: int) -> None:
    """Show the first datasets, and rows of their tables, that a run would make; writes nothing."""
    source_file = _load(file)
    with _client(allowed) as client:
        source = source_file.build_source(client)

        def show(dataset: Dataset) -> None:
            _say({"dataset": dataset})
            if rows and isinstance(source, RowSource) and source_file.personal_data == "none":
                for table in dataset.tables:
                    found, outcome = peek(source, table, dataset.guid, rows)
                    _say({"table": outcome, "rows": found})

        report = _run(source_file, source, MemoryCatalogue(), dry_run=True, limit=limit, on_dataset=show)
    sys.exit(0 if report.ok else 1)


@main.command()
@_FILE
@_ALLOW
@click.option(
    "--catalogue",
    type=click.Path(dir_okay=False, path_type=Path),
    help="JSON Lines file to keep the datasets in.",
)
@click.option(
    "--tables",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to keep the rows in, a JSON Lines file a table.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change and write nothing.")
@click.option("--limit", type=int, default=None, help="Stop after so many records.")
def run(
    file: Path,
    allowed: tuple[str, ...],
    catalogue: Path | None,
    tables: Path | None,
    dry_run: bool,
    limit: int | None,
) -> None:
    """Harvest into JSON Lines files, or into memory."""
    source_file = _load(file)
    kept = MemoryCatalogue()
    try:
        if catalogue is not None:
            kept = JsonlCatalogue(catalogue)
        rows = MemoryTables() if tables is None else JsonlTables(tables)
    except HarvestError as exc:
        raise click.UsageError(str(exc)) from exc
    with _client(allowed) as client:
        source = source_file.build_source(client)
        report = _run(source_file, source, kept, dry_run=dry_run, limit=limit, tables=rows)
    if isinstance(kept, JsonlCatalogue) and not dry_run:
        kept.save()
    sys.exit(0 if report.ok else 1)


@main.command()
@_FILE
@_ALLOW
@click.option(
    "--tables",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to keep the rows in, a JSON Lines file a table.",
)
@click.option("--port", default=0, help="Port of loopback to be told at; any free one without it.")
@click.option("--seconds", default=60.0, show_default=True, help="How long to listen.")
def listen(file: Path, allowed: tuple[str, ...], tables: Path | None, port: int, seconds: float) -> None:
    """Subscribe to the sensors of FILE (type onem2m) and keep what they say."""
    source_file = _load(file)
    with _client(allowed) as client:
        source = source_file.build_source(client)
        if not isinstance(source, OneM2MSource) or source_file.personal_data != "none":
            raise click.UsageError(f"{file}: expected $.source.type: onem2m and $.personal_data: none")
        sink = MemoryTables() if tables is None else JsonlTables(tables)
        try:
            refused = follow(
                source, sink, str(file.resolve()), seconds=seconds, port=port,
                on_table=lambda outcome: _say({"table": outcome}),
            )  # fmt: skip
        except HarvestError as exc:
            _say({"ok": False, "error": str(exc)})
            sys.exit(1)
    _say({"ok": not refused, "without_subscription": refused})
    sys.exit(1 if refused else 0)


def _run(file: SourceFile, source: Source, catalogue: MemoryCatalogue, **options: Any) -> RunReport:
    def tell(outcome: Outcome) -> None:
        _say({"outcome": outcome})

    def tell_rows(outcome: TableOutcome) -> None:
        _say({"table": outcome})

    report = harvest(
        source,
        file.format,
        file.steps,
        catalogue,
        shrink=file.guards.shrink,
        allow_empty=file.guards.allow_empty,
        on_outcome=tell,
        on_table=tell_rows,
        personal_data=file.personal_data,
        **options,
    )
    _say({"report": report})
    return report


def _load(file: Path) -> SourceFile:
    try:
        return load_file(file)
    except ConfigError as exc:
        raise click.UsageError(f"{file}: {exc}") from exc


def _client(allowed: tuple[str, ...]) -> Client:
    try:
        return Client(allow_networks=allowed)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--allow-network") from exc


def _say(value: Any) -> None:
    click.echo(msgspec.json.encode(value).decode())


if __name__ == "__main__":
    main()
