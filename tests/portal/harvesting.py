"""What the tests of harvests share: documents, a site on loopback that serves them, jobs run in-process."""

from __future__ import annotations

import csv
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.lib.search.common import make_connection
from ckan.tests import factories, helpers
from ckanext.ccphva_harvest import tasks
from ckanext.ccphva_harvest.celery_app import app as celery

TURTLE = "text/turtle"
MEDIA = {
    ".rdf": "application/rdf+xml",
    ".ttl": TURTLE,
    ".jsonld": "application/ld+json",
    ".json": "application/json",
}
HERE = Path(__file__).parent


class Site:
    """A small site on loopback: paths with documents, and a memory of what was asked."""

    def __init__(self, port: int = 0) -> None:
        self.documents: dict[str, tuple[str, bytes]] = {}
        self.asked: list[str] = []
        self.etag = ""
        self.before_answer: Callable[[], None] = lambda: None
        site = self

        class Request(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                site.before_answer()
                media_type, body = site.documents.get(self.path, ("text/plain", b""))
                same = site.etag and self.headers["If-None-Match"] == site.etag
                body = b"" if same else body
                self.send_response(304 if same else 200 if self.path in site.documents else 404)
                if site.etag:
                    self.send_header("ETag", site.etag)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Request)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, path: str, body: str | bytes, media_type: str = TURTLE) -> str:
        """Serve a document under a path; returns its address."""
        self.documents[path] = (media_type, body.encode() if isinstance(body, str) else body)
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def catalog(titles: dict[str, str] | Iterable[str], more: str = "") -> str:
    """A Turtle catalogue: a dataset for each key, with one distribution."""
    named = titles if isinstance(titles, dict) else {key: f"Jeu {key}" for key in titles}
    parts = [
        "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .",
        "<http://x.example/catalog> a dcat:Catalog .",
    ]
    for key, title in named.items():
        parts.append(
            f'<http://x.example/d/{key}> a dcat:Dataset ; dct:title "{title}"@fr ; '
            f"dct:license <https://www.etalab.gouv.fr/licence-ouverte-open-licence> ; "
            f"dcat:distribution <http://x.example/r/{key}> . "
            f"<http://x.example/r/{key}> a dcat:Distribution ; "
            f'dcat:accessURL <http://x.example/f/{key}.csv> ; dct:title "Fichier {key}"@fr .'
        )
    return "\n".join([*parts, more])


class Fact(NamedTuple):
    """A line of FACTS.tsv, which was computed with rdflib, not with our code."""

    path: Path
    parses: bool
    datasets: int
    series: int
    distributions: int

    @property
    def media_type(self) -> str:
        """What a server would call it."""
        return MEDIA[self.path.suffix]


def facts() -> list[Fact]:
    """Third-party DCAT documents: all where they are at hand, else the copies of the library's tests."""
    shared = Path(os.environ.get("CCPHVA_SHARED") or HERE.parents[2] / "shared") / "yardsticks" / "dcat"
    folder = shared if (shared / "FACTS.tsv").exists() else HERE.parent / "harvesters" / "data"
    with (folder / "FACTS.tsv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if (folder / str(row["file"])).exists()]
    numbers = ("datasets", "series", "distributions")
    return [
        Fact(folder / row["file"], row["parse"] == "ok", *(int(row.get(n) or 0) for n in numbers))
        for row in rows
    ]


# -- the register --------------------------------------------------------------------------------------------


def site_user() -> str:
    return tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]


def act(action: str, **payload: Any) -> Any:
    """Call an action as the site's own user."""
    return helpers.call_action(action, {"user": site_user()}, **payload)


def make_source(url: str, config: str | None = None, **more: Any) -> dict[str, Any]:
    """A source of type `ccphva_dcat` that a fresh organisation owns."""
    payload = {
        "name": f"source-{os.urandom(4).hex()}",
        "title": "Une source",
        "url": url,
        "source_type": "ccphva_dcat",
        "owner_org": more.pop("owner_org", None) or factories.Organization()["id"],
        **({"config": config} if config else {}),
    }
    return act("harvest_source_create", **payload | more)


def make_job(source: dict[str, Any]) -> str:
    """A job of the source that waits for a worker."""
    job = act("harvest_job_create", source_id=source["id"], run=True)
    celery.control.purge()  # no worker listens to these tests; they run the task themselves
    return job["id"]


def harvest(source: dict[str, Any]) -> dict[str, Any]:
    """One whole job, as a worker would run it; returns what the register shows of it."""
    job_id = make_job(source)
    tasks.run_job(job_id)
    return act("harvest_job_show", id=job_id)


def datasets(source: dict[str, Any], state: str = "active") -> list[dict[str, Any]]:
    """Datasets that the source brought, as the database has them."""
    model.Session.remove()
    found = model.Session.execute(
        sa.text(
            "SELECT p.id FROM package p JOIN ccphva_harvest_record r ON r.dataset_id = p.id "
            "WHERE r.source_id = :source AND p.state = :state"
        ),
        {"source": source["id"], "state": state},
    ).scalars()
    return [
        tk.get_action("package_show")(
            {"user": site_user(), "ignore_auth": True, "use_cache": False}, {"id": id_}
        )
        for id_ in found.all()
    ]


def indexed(source: dict[str, Any] | None = None) -> dict[str, str]:
    """Version by name of each dataset in the index (of a source); a version changes with every write."""
    query = f'harvest_source_id:"{source["id"]}"' if source else "dataset_type:dataset"
    found = make_connection().search(query, fl="name,_version_", rows=1000)
    return {doc["name"]: doc["_version_"] for doc in found.docs}


@contextmanager
def package_writes() -> Iterator[list[str]]:
    """Collects statements that write to CKAN's tables of datasets."""
    tables = ("package", "resource", "package_tag", "tag", "member", "activity", "resource_view")
    seen: list[str] = []

    def watch(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        words = statement.replace('"', "").split()
        if words and words[0].upper() in {"INSERT", "UPDATE", "DELETE"}:
            target = words[2] if words[0].upper() in {"INSERT", "DELETE"} else words[1]
            if target in tables:
                seen.append(statement)

    sa.event.listen(model.meta.engine, "before_cursor_execute", watch)
    try:
        yield seen
    finally:
        sa.event.remove(model.meta.engine, "before_cursor_execute", watch)
