"""The subcommands of `ckan ccphva` for operating a portal: they parse, call and print."""

# ruff: noqa: E501 -- sentences stay whole, so that what an operator quotes is found by a search
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import psycopg2
from ckanext.ccphva.operations import backup as backing
from ckanext.ccphva.operations import doctor as doctoring
from ckanext.ccphva.operations import index
from ckanext.ccphva.operations import restore as restoring
from ckanext.ccphva.operations.errors import OperationError
from ckanext.ccphva.operations.findings import Level
from ckanext.ccphva.operations.text import LANGUAGES, Text

language = click.option(
    "--lang", type=click.Choice(LANGUAGES), default="fr", show_default=True, help="Language of the sentences."
)


class Stop(click.ClickException):
    """An operation's error as one sentence on standard error, code 1."""

    def __init__(self, error: OperationError, lang: str) -> None:
        super().__init__(error.text.to(lang))

    def show(self, file: object = None) -> None:  # noqa: ARG002 -- click's own signature
        click.secho(f"✗ {self.message}", fg="red", err=True)


@contextmanager
def sentences(lang: str) -> Iterator[None]:
    """Turn what stops an operation into one sentence; a traceback helps no operator."""
    try:
        yield
    except OperationError as error:
        raise Stop(error, lang) from error
    except (psycopg2.Error, OSError) as error:
        said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        stopped = OperationError(f"L'opération s'est arrêtée : {said}", f"The operation stopped: {said}")
        raise Stop(stopped, lang) from error


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: counts and findings as one JSON object.")
@click.option(
    "--area",
    "areas",
    multiple=True,
    type=click.Choice(list(doctoring.AREAS)),
    help="Only this part; may be repeated.",
)
@language
def doctor(as_json: bool, areas: tuple[str, ...], lang: str) -> None:
    """Look at configuration, services, machine and catalogue, and say the mend. Code 1 when something fails."""
    colours = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}
    findings = []
    for finding in doctoring.examine(areas):
        findings.append(finding)
        if not as_json:
            click.secho(doctoring.line(finding, lang), fg=colours[finding.level])
    if as_json:
        click.echo(doctoring.as_json(findings, lang))
    raise SystemExit(1 if any(f.level is Level.FAIL for f in findings) else 0)


@click.command()
@click.option("--only-drift", is_flag=True, help="Only what differs between database and index.")
@language
def rebuild(only_drift: bool, lang: str) -> None:
    """Build the search index again from the database. Code 1 when a dataset could not be indexed."""
    tell = lambda done, of: click.echo(f"{done}/{of}", err=True) if done % 1000 == 0 else None  # noqa: E731
    result = index.rebuild(only_drift, tell)
    text = Text(
        f"{result.written} jeux indexés, {result.removed} retirés de l'index",
        f"{result.written} datasets indexed, {result.removed} removed from the index",
    )
    click.echo(text.to(lang))
    for identifier, why in result.failed.items():
        click.secho(f"✗ {identifier}: {why}", fg="red", err=True)
    raise SystemExit(1 if result.failed else 0)


@click.command()
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder, instead of ccphva.backup.folder.",
)
@language
def backup(folder: Path | None, lang: str) -> None:
    """Write both databases, the files and the configuration into one archive (mode 600), whole or not at all."""
    with sentences(lang):
        report = backing.run(folder)
    size = report.bytes // 10**6
    click.echo(Text(
        f"{report.path} : {size} Mo, {report.datasets} jeux, {report.files} fichiers ; {len(report.removed)} anciennes retirées",
        f"{report.path}: {size} MB, {report.datasets} datasets, {report.files} files; {len(report.removed)} old ones removed",
    ).to(lang))  # fmt: skip
    for name in report.missing:
        click.echo(
            Text(f"! {name} a disparu pendant la sauvegarde", f"! {name} vanished during the backup").to(
                lang
            ),
            err=True,
        )
    for name in report.remote:
        click.echo(
            Text(
                f"! Le stockage distant {name} n'est pas dans l'archive",
                f"! The remote storage {name} is not in the archive",
            ).to(lang),
            err=True,
        )


@click.command()
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace everything in an instance that is not empty.")
@click.option(
    "--check", "check_only", is_flag=True, help="Only look whether the archive is whole and readable."
)
@click.option(
    "--configuration-to",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that takes the original's ini files and territory.",
)
@language
def restore(archive: Path, force: bool, check_only: bool, configuration_to: Path | None, lang: str) -> None:
    """Bring a backup back: databases, permissions, migrations, files, index. Stop the portal first."""
    with sentences(lang):
        restoring.run(
            archive, force, lambda text: click.echo(f"• {text.to(lang)}"), configuration_to, check_only
        )


COMMANDS = (doctor, rebuild, backup, restore)
