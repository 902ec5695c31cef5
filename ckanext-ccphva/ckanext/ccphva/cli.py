"""`ckan ccphva …`: what production needs from the command line."""

from __future__ import annotations

from pathlib import Path

import click
from ckanext.ccphva import demo as demonstration
from ckanext.ccphva import followers as following
from ckanext.ccphva import jobs
from ckanext.ccphva.operations import commands as operations

__all__ = ["ccphva"]


@click.group(short_help="The territorial portal: content, health, backup.")
def ccphva() -> None:
    """The territorial portal: content, health, backup."""


@ccphva.command()
@click.option(
    "--accounts", type=click.Path(path_type=Path), help="File (mode 600) that takes the demo accounts."
)
def demo(accounts: Path | None) -> None:
    """Fill the portal with its territory: organisations, demo accounts, demo datasets."""
    for line in demonstration.fill(accounts):
        click.echo(line)


@ccphva.command()
@click.pass_context
def follow(context: click.Context) -> None:
    """Hand the change log to its followers, until stopped."""
    following.follow(context.meta["flask_app"])


@ccphva.command()
@click.option("--forget", metavar="NAME", help="Drop the cursor of a follower that no longer exists.")
def followers(forget: str | None) -> None:
    """How far each follower is behind the change log."""
    for line in following.report(forget):
        click.echo(line)


@ccphva.command()
@click.argument("queues", nargs=-1)
def work(queues: tuple[str, ...]) -> None:
    """Do the jobs of CKAN's own queues (`default` where none is named), until stopped."""
    jobs.Worker(queues).work(with_scheduler=True)


for command in operations.COMMANDS:
    ccphva.add_command(command)
