"""The load of a resource's file, as a job of CKAN's queue `load`.

CKAN's own jobs and not Celery: the Celery application belongs to the plugin of harvests, which this plugin
does
not import, and CKAN ships the queue, its worker and its page of jobs.
"""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import ckan.plugins.toolkit as tk
import psycopg2
from ckan import model as core
from ckan.lib import search
from ckan.types import Context
from ckanext.ccphva.shared import bind_request_id, request_id
from ckanext.ccphva_datastore import config, placement, relations
from ckanext.ccphva_datastore.loading import bounded, files, model, storage, versions
from ckanext.ccphva_datastore.loading.columns import TYPES
from ckanext.ccphva_datastore.loading.documents import KINDS
from ckanext.ccphva_datastore.loading.faults import Fault
from ckanext.ccphva_datastore.loading.files import File
from psycopg2 import errors

log = logging.getLogger(__name__)

QUEUE = "load"
TRIES = 3
"""How often a load begins anew after its database or its worker went away."""
MB = 1_000_000


def enqueue(resource_id: str) -> None:
    """Put a load into the queue; one that waits already stays the one."""
    model.note(resource_id, state=model.WAITING, queued=model.now(), reason=None)
    tk.enqueue_job(
        run,
        [resource_id, request_id()],
        title=f"Load {resource_id}",
        queue=QUEUE,
        rq_kwargs={"timeout": config.load_seconds() + 600},
    )


def run(resource_id: str, request: str = "", force: bool = False) -> None:
    """What the worker calls: whatever happens is written down as the load's end."""
    with bind_request_id(request):
        try:
            load(resource_id, force)
        except Exception:  # the outermost line of a job
            core.Session.rollback()
            log.exception("A load failed", extra={"resource": resource_id})
            _end(resource_id, Fault("crash", reason="see the log of the worker"))
        finally:
            core.Session.remove()


def load(resource_id: str, force: bool = False) -> model.Load | None:
    """Take the file of a resource: a version, and a table or a searchable text, or a reason why not."""
    resource, dataset = _shown(resource_id)
    if resource is None or dataset is None:
        return None
    with storage.connected() as connection, storage.only_one(connection, resource_id) as free:
        if not free:
            return None
        before = model.load_of(resource_id)
        known = dict(before.source) if before else {}
        attempt = (before.attempt if before else 0) + 1
        now = model.now()
        model.note(
            resource_id, state=model.READING, started=now, heartbeat=now, finished=None, reason=None,
            attempt=attempt, rows=0, bytes=0, source=known | {"mark": files.mark(resource)},
        )  # fmt: skip
        try:
            with _folder() as folder:
                _take(connection, resource, dataset, folder, {} if force else known)
        except Fault as fault:
            core.Session.rollback()
            storage.leave(connection, resource_id)
            return _end(resource_id, fault, known | _seen(resource))
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            core.Session.rollback()
            return _gone(resource_id, error, attempt)
        except psycopg2.Error as error:
            core.Session.rollback()
            storage.leave(connection, resource_id)
            return _end(resource_id, _refused(error), known | _seen(resource))
        except OSError as error:
            core.Session.rollback()
            storage.leave(connection, resource_id)
            return _end(
                resource_id, Fault("disk" if error.errno in (28, 122) else "crash", reason=error.strerror)
            )
    return model.load_of(resource_id)


def _take(
    connection: storage.Connection,
    resource: dict[str, Any],
    dataset: dict[str, Any],
    folder: Path,
    known: dict[str, Any],
) -> None:
    id_ = resource["id"]
    _refuse_personal(dataset)
    file = files.obtain(resource, folder, known)
    if file is None or (
        file.sha256 == known.get("sha256") and known.get("state") in (model.DONE, model.NOTHING)
    ):
        state = known.get("state", model.DONE)
        source = known | (file.source if file else {})
        model.note(id_, state=state, finished=model.now(), attempt=0, source=source)
        return
    version = versions.keep(id_, file)
    limits = bounded.Limits(config.load_memory(), config.load_unfolded(), config.load_seconds())
    load = model.load_of(id_)
    chosen = dict(load.chosen) if load else {}
    task = {
        "work": "file",
        "path": str(file.path),
        "html": _is_page(resource, file),
        "layer": chosen.get("layer"),
        "crs": chosen.get("crs"),
        "kept": _kept(id_, chosen),
    }
    with bounded.reading(task, limits, folder) as reader:
        answer = reader.answer()
        if answer["kind"] in KINDS:
            pages = [json.loads(line) for line in reader.rows]
            reader.finish()
            model.put_pages(id_, pages)
            _done(id_, file, answer, model.DONE, rows=len(pages))
            search.rebuild(dataset["id"])
        elif answer["kind"] == "other":
            _done(id_, file, answer, model.NOTHING)
        else:
            _table(connection, resource, dataset, file, reader, answer, version)


def _table(
    connection: storage.Connection,
    resource: dict[str, Any],
    dataset: dict[str, Any],
    file: File,
    reader: bounded.Reader,
    answer: dict[str, Any],
    version: model.Version,
) -> None:
    id_ = resource["id"]
    columns = [_column(each, answer["crs"]) for each in answer["columns"]]
    described = [(column.name, column.type) for column in columns]
    changes = versions.compare(storage.present(id_), described)
    model.note(id_, state=model.LOADING, found=answer, changes=changes, kind=answer["kind"])
    reader.ask({"columns": answer["columns"]})
    progress = _Progress(id_, reader.rows)
    try:
        count = storage.fill(connection, id_, columns, progress)  # type: ignore[arg-type]
        reader.finish()
    except psycopg2.Error:
        # The rows may have ended because their reader did: its reason is the true one.
        if reader.process.poll() not in (None, 0):
            reader.finish()
        raise
    _refuse_personal(_shown(id_)[1] or dataset)  # who declared it meanwhile is heard
    package = core.Package.get(dataset["id"])
    schema = relations.OPEN if package and placement.is_open(package) else relations.CLOSED
    done = storage.swap(connection, id_, columns, count, schema)
    model.note(id_, closed=done.closed)
    version.columns = [{"name": name, "type": kind} for name, kind in described]
    placement.place(dataset["id"])
    if not resource.get("datastore_active"):
        _tell_core(resource)
    storage.fill_words(connection, id_, columns, lambda: model.beat(id_, count, progress.read_bytes))
    _done(id_, file, answer, model.DONE, rows=count)


def _tell_core(resource: dict[str, Any]) -> None:
    """A resource with a table: core shows its data API, dictionary and views."""
    try:
        shown = tk.get_action("resource_patch")(_context(), {"id": resource["id"], "datastore_active": True})
        wanted = {"resource": shown, "create_datastore_views": True}
        tk.get_action("resource_create_default_resource_views")(_context(), wanted)
    except tk.ValidationError as error:
        # A dataset of older rules: its table is there all the same.
        log.warning("A resource could not be marked", extra={"resource": resource["id"], "error": str(error)})


def _refuse_personal(dataset: dict[str, Any]) -> None:
    """Personal data never enter a table (design, 7.9): what the dataset declares decides."""
    if (dataset.get("personal_data") or "none") != "none":
        raise Fault("personal")


def _column(found: dict[str, Any], crs: str) -> storage.Column:
    kind = TYPES.get(found["type"])
    if kind is None:
        raise Fault("type-choice", type=found["type"])
    info = {"crs": crs} if kind == "geometry" else {}
    return storage.Column(found["name"], kind, info)


def _kept(resource_id: str, chosen: dict[str, Any]) -> dict[str, Any]:
    """Types of the columns as they are, under what an agent chose: clients of a table rely on its types."""
    load = model.load_of(resource_id)
    before = {each["name"]: each for each in (load.found.get("columns") or [])} if load else {}
    kept: dict[str, Any] = {}
    names = {name for name, _ in storage.present(resource_id)}
    for name, each in before.items():
        if name in names:
            kept[name] = {
                key: each[key] for key in ("type", "format", "date_format", "groups") if key in each
            }
    for name, kind in (chosen.get("types") or {}).items():
        same = kept.get(name, {}).get("type") == kind or before.get(name, {}).get("type") == kind
        kept[name] = (kept.get(name) or before.get(name, {})) | {"type": kind} if same else {"type": kind}
        kept[name] = {
            k: kept[name][k] for k in ("type", "format", "date_format", "groups") if k in kept[name]
        }
    return kept


class _Progress:
    """The rows as COPY reads them; says now and then how far it is."""

    def __init__(self, resource_id: str, source: IO[bytes]) -> None:
        self.resource_id, self.source = resource_id, source
        self.read_bytes = self.rows = 0
        self.told = time.monotonic()

    def read(self, size: int = -1) -> bytes:
        piece = self.source.read(size)
        self.read_bytes += len(piece)
        self.rows += piece.count(b"\n")
        if time.monotonic() - self.told > 1:
            model.beat(self.resource_id, self.rows, self.read_bytes)
            self.told = time.monotonic()
        return piece

    def readline(self, size: int = -1) -> bytes:
        return self.source.readline(size)


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for one load, gone at its end; its reading process writes nowhere else."""
    path = Path(tempfile.mkdtemp(prefix="ccphva-load-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _shown(resource_id: str) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    resource = core.Resource.get(resource_id)
    if resource is None or resource.state != "active":
        return None, None
    try:
        dataset = tk.get_action("package_show")(_context(), {"id": resource.package_id, "use_cache": False})
    except tk.ObjectNotFound:
        return None, None
    return next((each for each in dataset["resources"] if each["id"] == resource_id), None), dataset


def _context() -> Context:
    user = tk.get_action("get_site_user")(Context(ignore_auth=True), {})["name"]
    return Context(user=user, ignore_auth=True)


def _is_page(resource: dict[str, Any], file: File) -> bool:
    return str(resource.get("format", "")).upper() in ("HTML", "HTM") or file.name.lower().endswith(
        (".html", ".htm")
    )


def _seen(resource: dict[str, Any]) -> dict[str, Any]:
    """The mark of a file that was refused: it is not tried again until it changes."""
    return {"mark": files.mark(resource), "state": model.REFUSED} if files.is_upload(resource) else {}


def _done(resource_id: str, file: File, answer: dict[str, Any], state: str, rows: int = 0) -> None:
    source = file.source | {"state": state, "name": file.name}
    model.note(
        resource_id, state=state, rows=rows, finished=model.now(), attempt=0, source=source, reason=None,
        kind=answer["kind"], **({"found": answer} if answer.get("columns") else {}),
    )  # fmt: skip
    log.info("A file is loaded", extra={"resource": resource_id, "kind": answer["kind"], "rows": rows})


def _end(resource_id: str, fault: Fault, source: dict[str, Any] | None = None) -> model.Load:
    reason = {"code": fault.code, "values": {name: str(value)[:500] for name, value in fault.values.items()}}
    values: dict[str, Any] = {"source": source} if source else {}
    return model.note(
        resource_id, state=model.REFUSED, finished=model.now(), reason=reason, attempt=0, **values
    )


def _gone(resource_id: str, error: Exception, attempt: int) -> model.Load | None:
    """The database went away and the old table is there; tried again, not for ever."""
    log.warning("A load lost its database", extra={"resource": resource_id, "attempt": attempt})
    if isinstance(error, errors.DiskFull):
        return _end(resource_id, Fault("disk"))
    load = _patiently(lambda: _end(resource_id, Fault("database-gone")))
    if load and attempt < TRIES:
        model.note(resource_id, attempt=attempt)
        _patiently(lambda: enqueue(resource_id))
    return load


def _patiently(work: Callable[[], Any], seconds: float = 60) -> Any:
    """The result of work that needs a database which is just starting again."""
    end = time.monotonic() + seconds
    while True:
        try:
            return work()
        except Exception:  # SQLAlchemy and psycopg2 have many classes for a database that is not there
            core.Session.remove()
            if time.monotonic() > end:
                raise
            time.sleep(1)


def _refused(error: psycopg2.Error) -> Fault:
    """A reason from what PostgreSQL says, without its SQL."""
    if isinstance(error, errors.DiskFull):
        return Fault("disk")
    said = error.diag.message_primary or str(error).splitlines()[0] if error.diag else str(error)
    where = (error.diag.context or "").splitlines() if error.diag else []
    place = next((line.partition(", ")[2] for line in where if line.startswith("COPY ")), "")
    return Fault("database", reason=f"{said} ({place[:200]})" if place else said)
