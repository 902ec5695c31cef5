"""A process that harvests one source whenever it is told, and says what that took (`benchmarks/harvest.py`).

`python harvest_process.py ours|stock <ini> <address>`: reads a line a run, answers with a line of JSON:
`seconds`, `counts`, `memory` (peak of the process, MB), `writes` (statements that write to CKAN's tables) and
`commits` (of the index).
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from ckan import model
from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app
from ckan.tests import factories, helpers

TABLES = ("package", "resource", "package_tag", "tag", "member", "activity")
Run = Callable[[], dict[str, int]]


def main(kind: str, ini: str, address: str) -> None:
    model.repo.tables_created_and_initialised = True
    application = make_app(CKANConfigLoader(ini).get_config())
    logging.disable(logging.ERROR)
    with application._wsgi_app.test_request_context():
        run = {"ours": ours, "stock": stock}[kind](address)
        seen = watched()
        _answer({"ready": True})
        for _ in sys.stdin:
            seen.update(writes=0, commits=0)
            began = time.perf_counter()
            counts = run()
            seconds = time.perf_counter() - began
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            _answer({"seconds": seconds, "counts": counts, "memory": peak, **seen})


def ours(address: str) -> Run:
    """A job of the portal, as its worker runs it."""
    from harvesting import harvest, make_source

    source = make_source(address)

    def run() -> dict[str, int]:
        stats = harvest(source)["stats"]
        return {
            name.replace(" ", "_"): stats[name] for name in ("added", "updated", "not modified", "errored")
        }

    return run


def stock(address: str) -> Run:
    """A job of ckanext-harvest with ckanext-dcat's RDF harvester: gathered, then each object imported."""
    from ckanext.harvest import queue
    from ckanext.harvest.model import HarvestJob, HarvestObject

    user = factories.Sysadmin()["name"]
    owner = factories.Organization()["id"]
    given = {
        "name": "source",
        "title": "Source",
        "url": address,
        "source_type": "dcat_rdf",
        "owner_org": owner,
    }
    source = helpers.call_action("harvest_source_create", {"user": user}, **given)
    harvester = queue.get_harvester("dcat_rdf")

    def run() -> dict[str, int]:
        made = helpers.call_action("harvest_job_create", {"user": user}, source_id=source["id"], run=False)
        job = HarvestJob.get(made["id"])
        ids = queue.gather_stage(harvester, job)
        for id_ in ids:
            found = HarvestObject.get(id_)
            found.retry_times = 0
            queue.fetch_and_import_stages(harvester, found)
        job.status = "Finished"
        job.save()
        counted = model.Session.query(HarvestObject.report_status, sa.func.count(HarvestObject.id))
        return dict(counted.filter_by(harvest_job_id=job.id).group_by(HarvestObject.report_status).all())

    return run


def watched() -> dict[str, int]:
    """Counts what is written to CKAN's tables, and commits of the index."""
    import pysolr

    seen = {"writes": 0, "commits": 0}

    def statement(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        words = text.replace('"', "").split()
        if words and words[0].upper() in {"INSERT", "UPDATE", "DELETE"}:
            target = words[2] if words[0].upper() in {"INSERT", "DELETE"} else words[1]
            seen["writes"] += target in TABLES

    sa.event.listen(model.meta.engine, "before_cursor_execute", statement)
    send = pysolr.Solr._update

    def update(self: Any, *given: Any, **named: Any) -> Any:
        seen["commits"] += bool(named.get("commit"))
        return send(self, *given, **named)

    pysolr.Solr._update = update
    return seen


def _answer(told: dict[str, Any]) -> None:
    sys.stdout.write(f"@{json.dumps(told)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
