"""`./portal bench harvest`: DCAT catalogues into CKAN, against ckanext-harvest with ckanext-dcat.

Both harvest the same documents in a process of their own each, one after the other: the first time, again
unchanged, and with one dataset in a hundred changed. The peer is a CKAN with nothing but `harvest`, `dcat`,
`dcat_rdf_harvester` and `activity`, in a database of its own and a core of the same Solr; ours runs as its
worker does, with all that the portal adds. Before anything is timed both must have the same datasets.
"""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from local.database import administrator
from local.settings import UNITS, instance_from_environment
from measure import ROOT, Report

NUMBER, CHANGED = int(os.environ.get("BENCH_NUMBER", "1000")), 100
"""Datasets, and one in how many of them changes."""
PLUGINS = "activity harvest dcat dcat_rdf_harvester"
DATABASE = "ckan_stock"


def main() -> None:
    from harvesting import Site

    report = Report("harvest")
    site = Site()
    with stock_ini() as stock:
        ini = portal_ini()
        empty(ini)
        first = [
            site.serve(f"/{kind}.rdf", catalogue(NUMBER), "application/rdf+xml") for kind in ("ours", "stock")
        ]
        with process("ours", ini, first[0]) as ours, process("stock", stock, first[1]) as peer:
            told = [each.run() for each in (ours, peer)]
            for each in told:
                assert each["counts"].get("added") == NUMBER, each
            assert names(ini) == names(stock), "the two catalogues differ"
            tell(report, "B1 first-harvest", told, 10)

            told = [each.run() for each in (ours, peer)]
            assert told[0]["counts"]["not_modified"] == NUMBER, told[0]
            assert (told[0]["writes"], told[0]["commits"]) == (0, 0), told[0]
            tell(report, "B2 unchanged", told, 150)

            for kind in ("ours", "stock"):
                site.serve(f"/{kind}.rdf", catalogue(NUMBER, changed=True), "application/rdf+xml")
            told = [each.run() for each in (ours, peer)]
            assert told[0]["counts"]["updated"] == NUMBER // CHANGED, told[0]
            assert names(ini) == names(stock), "the two catalogues differ"
            tell(report, "B3 one-in-a-hundred-changed", told, 80)
    large(report, site)
    site.close()
    report.keep()


def tell(report: Report, measure: str, told: list[dict[str, Any]], goal: float) -> None:
    report.rate(measure, NUMBER, told[0]["seconds"], told[1]["seconds"], " datasets/s", goal)


def large(report: Report, site: Any, number: int = 10_000) -> None:
    """A larger catalogue, ours alone: the rate must not fall, nor the memory rise."""
    ini = portal_ini()
    empty(ini)
    address = site.serve("/large.rdf", catalogue(number), "application/rdf+xml")
    with process("ours", ini, address) as ours:
        first, again = ours.run(), ours.run()
    assert first["counts"]["added"] == again["counts"]["not_modified"] == number
    print(f"first harvest of {number}: {number / first['seconds']:.0f} datasets/s")
    print(f"unchanged {number}: {number / again['seconds']:.0f} datasets/s")
    report.most("memory", again["memory"], 200 + number * 2 / 1024, " MB")


# -- the two processes ---------------------------------------------------------------------------------------


class Process:
    """One of the two, which harvests its source whenever it is asked."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self.running = running

    def run(self) -> dict[str, Any]:
        assert self.running.stdin
        self.running.stdin.write("\n")
        self.running.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        assert self.running.stdout
        for line in self.running.stdout:
            if line.startswith("@"):
                return json.loads(line[1:])
        raise RuntimeError("the process ended; what it said stands above")


@contextmanager
def process(kind: str, ini: str, address: str) -> Iterator[Process]:
    command = [sys.executable, str(ROOT / "tests/peers/harvest_process.py"), kind, ini, address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        asked = Process(running)
        asked.answer()
        try:
            yield asked
        finally:
            assert running.stdin
            running.stdin.close()


# -- the peer's CKAN -----------------------------------------------------------------------------------------


def portal_ini() -> str:
    """The tests' configuration, with commits of the index as a running portal has them: after each batch."""
    given = Path(os.environ["CKAN_INI"])
    path = given.parent / "tmp" / "bench.ini"
    text = given.read_text().replace("ckan.search.solr_commit = true", "ckan.search.solr_commit = false")
    assert text != given.read_text()
    path.write_text(text)
    return str(path)


@contextmanager
def stock_ini() -> Iterator[str]:
    """A CKAN without a line of ours: its configuration, its database, an empty core of Solr."""
    instance = instance_from_environment(testing=True)
    ours = configparser.RawConfigParser(strict=False)
    ours.read(instance.ini(UNITS[1]))
    values = {
        "use": "egg:ckan",
        "SECRET_KEY": "bench",
        "ckan.site_id": "stock",
        "ckan.site_url": "http://127.0.0.1:9",
        "ckan.plugins": PLUGINS,
        "sqlalchemy.url": ours["app:main"]["sqlalchemy.url"].rpartition("/")[0] + f"/{DATABASE}",
        "solr_url": ours["app:main"]["solr_url"],
        "ckan.redis.url": ours["app:main"]["ckan.redis.url"],
        "ckan.storage_path": str(instance.home / "tmp"),
        "ckan.auth.create_unowned_dataset": "false",
    }
    path = instance.home / "tmp" / "stock.ini"
    path.parent.mkdir(exist_ok=True)
    path.write_text("[app:main]\n" + "".join(f"{name} = {value}\n" for name, value in values.items()))
    with administrator(instance, "postgres") as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {DATABASE} OWNER ckan ENCODING 'UTF8'")
    try:
        for words in ("db init", "db upgrade -p harvest", "db upgrade -p activity", "search-index clear"):
            ckan(path, *words.split())
        yield str(path)
    finally:
        path.unlink()
        with administrator(instance, "postgres") as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def ckan(ini: Path, *words: str) -> None:
    command = [str(Path(sys.executable).parent / "ckan"), "-c", str(ini), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]


def empty(ini: str) -> None:
    """Empty the portal's database for tests and its core."""
    code = (
        "import sys; from ckan import model; from ckan.cli import CKANConfigLoader; "
        "from ckan.config.middleware import make_app; from ckan.lib import search; "
        "app = make_app(CKANConfigLoader(sys.argv[1]).get_config())\n"
        "model.repo.tables_created_and_initialised = True\n"
        "with app._wsgi_app.test_request_context(): model.repo.rebuild_db(); search.clear_all()"
    )
    subprocess.run([sys.executable, "-c", code, ini], check=True, stderr=subprocess.DEVNULL)


def names(ini: str) -> set[tuple[str, int]]:
    """Title of each dataset and the number of its files."""
    parser = configparser.RawConfigParser(strict=False)
    parser.read(ini)
    with psycopg2.connect(parser["app:main"]["sqlalchemy.url"]) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.title, count(r.id) FROM package p JOIN resource r ON r.package_id = p.id "
            "WHERE p.type = 'dataset' AND p.state = 'active' AND r.state = 'active' GROUP BY p.id"
        )
        return set(cursor.fetchall())


# -- the documents -------------------------------------------------------------------------------------------

_HEAD = (
    '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns:dcat="http://www.w3.org/ns/dcat#" xmlns:dct="http://purl.org/dc/terms/" '
    'xmlns:foaf="http://xmlns.com/foaf/0.1/" xmlns:vcard="http://www.w3.org/2006/vcard/ns#">'
    '<dcat:Catalog rdf:about="http://x.example/catalog"><dct:title xml:lang="fr">Catalogue</dct:title>'
)
_EU = "http://publications.europa.eu/resource/authority"


def catalogue(number: int, changed: bool = False) -> str:
    """A DCAT-AP catalogue as RDF/XML: datasets of three files, five keywords, two languages."""
    datasets = [dataset(n, changed and n % CHANGED == 0) for n in range(number)]
    return "".join([_HEAD, *datasets, "</dcat:Catalog></rdf:RDF>"])


def dataset(n: int, changed: bool) -> str:
    words = "".join(f'<dcat:keyword xml:lang="fr">mot {(n * 7 + k) % 200}</dcat:keyword>' for k in range(5))
    files = "".join(
        f'<dcat:distribution><dcat:Distribution rdf:about="http://x.example/r/{n}/{k}">'
        f'<dct:title xml:lang="fr">Fichier {k}</dct:title>'
        f'<dcat:accessURL rdf:resource="http://x.example/f/{n}/{k}.csv"/>'
        f'<dct:format rdf:resource="{_EU}/file-type/CSV"/>'
        '<dct:license rdf:resource="https://www.etalab.gouv.fr/licence-ouverte-open-licence"/>'
        "</dcat:Distribution></dcat:distribution>"
        for k in range(3)
    )
    return (
        f'<dcat:dataset><dcat:Dataset rdf:about="http://x.example/d/{n}">'
        f'<dct:title xml:lang="fr">Jeu de mesures numéro {n}{" corrigé" if changed else ""}</dct:title>'
        f'<dct:title xml:lang="de">Messdaten Nummer {n}</dct:title>'
        f'<dct:description xml:lang="fr">{"Mesures relevées dans la commune, jour par jour. " * 4}{n}'
        f"</dct:description><dct:identifier>{n}</dct:identifier><dct:issued>2024-01-0{1 + n % 9}</dct:issued>"
        f"<dct:modified>2025-03-1{n % 9}</dct:modified>{words}"
        f'<dct:publisher><foaf:Organization rdf:about="http://x.example/o/{n % 10}">'
        f"<foaf:name>Organisme {n % 10}</foaf:name></foaf:Organization></dct:publisher>"
        f'<dcat:theme rdf:resource="{_EU}/data-theme/ENVI"/>'
        f'<dct:accrualPeriodicity rdf:resource="{_EU}/frequency/DAILY"/>'
        f"<dcat:contactPoint><vcard:Organization><vcard:fn>Service {n % 5}</vcard:fn>"
        f'<vcard:hasEmail rdf:resource="mailto:s{n % 5}@x.example"/></vcard:Organization></dcat:contactPoint>'
        f"{files}</dcat:Dataset></dcat:dataset>"
    )


if __name__ == "__main__":
    main()
