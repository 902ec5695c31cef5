"""The demonstration's catalogue document by itself: languages, files, and every property of the standards."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from rdflib import DCAT, DCTERMS, RDF, SKOS, Graph, Namespace, URIRef
from rdflib.namespace import SH
from rdflib.term import Node

FOLDER = Path(__file__).parents[2] / "deployment" / "territories" / "ccphva" / "demo"
ROOT = "http://127.0.0.1:5999/demo-source/"
BASE = ROOT + "catalogue.ttl"
SPDX = Namespace("http://spdx.org/rdf/terms#")
ADMS = Namespace("http://www.w3.org/ns/adms#")
FOAF = Namespace("http://xmlns.com/foaf/0.1/")
DCATAP = Namespace("http://data.europa.eu/r5r/")
LANGUAGES = ("fr", "de", "en", "lb")
MOST_BYTES = 1_500_000
INVENTED = {
    "fr": "Jeu de données de démonstration",
    "de": "Demonstrationsdatensatz",
    "en": "Demonstration dataset",
    "lb": "Demonstratiounsdatesaz",
}
SHAPES = Path(os.environ.get("SHACL_SHAPES", Path(__file__).parents[3] / "shared" / "yardsticks" / "shacl"))
PROFILES = {
    "dcat-ap-3.0.1/dcat-ap-SHACL.ttl": "none",
    "dcat-ap-hvd-3.0.0/hvd-SHACL.ttl": "rdfs",
    "geodcat-ap-3.0.0/geodcat-ap-SHACL.ttl": "rdfs",
}
"""Shapes and the inference that they need."""
# Misspelt in the shapes of GeoDCAT-AP 3.0.0: no vocabulary has these terms.
ERRATA = {
    URIRef("https://www.w3.org/ns/dcat#spatialResolutionInMeters"): DCAT.spatialResolutionInMeters,
    URIRef("http://www.w3.org/2004/02/skos/core#ínScheme"): SKOS.inScheme,
}


def read() -> Graph:
    return Graph().parse(FOLDER / "catalogue.ttl", publicID=BASE, format="turtle")


@pytest.fixture(scope="module")
def graph() -> Graph:
    return read()


@pytest.fixture(scope="module")
def datasets(graph: Graph) -> set[Node]:
    return set(graph.subjects(RDF.type, DCAT.Dataset))


def files(graph: Graph) -> Iterator[tuple[Node, Path]]:
    """Distributions that say they can be downloaded, with their files."""
    for distribution, address in graph.subject_objects(DCAT.downloadURL):
        assert str(address).startswith(ROOT)
        yield distribution, FOLDER / str(address).removeprefix(ROOT)


class TestTexts:
    def test_there_are_enough_datasets(self, graph: Graph, datasets: set[Node]) -> None:
        """At least sixty, all of them in the catalogue, beside the series and two services."""
        series = set(graph.subjects(RDF.type, URIRef(f"{DCAT}DatasetSeries")))
        assert len(datasets - series) >= 60
        assert set(graph.objects(URIRef(BASE + "#catalogue"), DCAT.dataset)) == datasets
        assert series <= datasets
        assert len(set(graph.subjects(RDF.type, DCAT.DataService))) == 2
        assert {graph.value(each, DCTERMS.identifier) is not None for each in datasets} == {True}

    def test_every_text_is_in_three_languages_and_a_third_in_the_fourth(
        self, graph: Graph, datasets: set[Node]
    ) -> None:
        """French, German and English always; Luxembourgish on a third; each language once."""
        luxembourgish = 0
        for dataset in datasets | set(graph.subjects(RDF.type, DCAT.DataService)):
            titles, texts = (
                sorted(str(text.language) for text in graph.objects(dataset, predicate))
                for predicate in (DCTERMS.title, DCTERMS.description)
            )
            assert titles == texts
            assert titles in (["de", "en", "fr"], ["de", "en", "fr", "lb"]), dataset
            assert {word.language for word in graph.objects(dataset, DCAT.keyword)} <= set(LANGUAGES)
            luxembourgish += "lb" in titles
        assert luxembourgish * 3 >= len(datasets)

    def test_every_tagged_text_has_french(self, graph: Graph) -> None:
        """Whatever is said in a language is said in French."""
        said: dict[tuple[Node, Node], set[str]] = {}
        for subject, predicate, text in graph:
            if language := getattr(text, "language", None):
                said.setdefault((subject, predicate), set()).add(language)
        assert [key for key, languages in said.items() if "fr" not in languages] == []

    def test_invented_values_are_called_so(self, graph: Graph, datasets: set[Node]) -> None:
        """A dataset with a file of invented values says so in every language, and a real one does not."""
        for dataset in datasets:
            addresses = [
                str(graph.value(d, DCAT.downloadURL)) for d in graph.objects(dataset, DCAT.distribution)
            ]
            real = bool(addresses) and not any("-demo." in each or each == "None" for each in addresses)
            for text in graph.objects(dataset, DCTERMS.description):
                assert (INVENTED[str(text.language)] in text) is not real, dataset


class TestFiles:
    def test_sizes_and_checksums_are_those_of_the_files(self, graph: Graph) -> None:
        """Every file of the folder is the download of a distribution, byte for byte what is said of it."""
        named = set()
        for distribution, path in files(graph):
            named.add(path.name)
            content = path.read_bytes()
            assert len(content) == int(str(graph.value(distribution, DCAT.byteSize))), path.name
            checksum = graph.value(distribution, SPDX.checksum)
            assert str(graph.value(checksum, SPDX.checksumValue)) == hashlib.sha256(content).hexdigest(), (
                path.name
            )
        assert named == {path.name for path in FOLDER.iterdir()} - {
            "catalogue.ttl",
            "notice.html",
            "publishers.yaml",
            "steps.yaml",
        }
        assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES

    def test_the_notice_is_there(self, graph: Graph) -> None:
        """What the document names as its documentation exists."""
        documents = {str(page) for page in graph.objects(None, FOAF.page)}
        assert documents == {ROOT + "notice.html"}
        assert (FOLDER / "notice.html").is_file()

    def test_every_file_is_what_its_format_says(self, graph: Graph) -> None:
        """CSV has a header and equal rows, GeoJSON features, JSON values; archives hold such files."""
        for distribution, path in files(graph):
            content = path.read_bytes()
            if path.suffix == ".gz":
                content = gzip.decompress(content)
            if path.suffix == ".zip":
                with zipfile.ZipFile(path) as archive:
                    tables = [archive.read(name).decode() for name in archive.namelist()]
                assert graph.value(distribution, DCAT.packageFormat)
                for table in tables:
                    assert_table(table)
            elif path.suffix == ".geojson":
                features = json.loads(content)["features"]
                assert features
                assert all(each["geometry"]["coordinates"] for each in features)
            elif path.suffix == ".json":
                assert json.loads(content)
            else:
                assert_table(content.decode("utf-8"))
            assert bool(graph.value(distribution, DCAT.compressFormat)) is (path.suffix == ".gz")


def assert_table(text: str) -> None:
    header, *rows = csv.reader(io.StringIO(text), delimiter=";" if text.startswith("uid_adresse;") else ",")
    assert rows
    assert len(set(header)) == len(header)
    assert {len(row) for row in rows} == {len(header)}, header


class TestStandards:
    """Against the shapes of the European profiles, where they are on this machine."""

    @pytest.fixture(params=list(PROFILES))
    def profile(self, request: pytest.FixtureRequest) -> str:
        if not (SHAPES / request.param).is_file():
            pytest.skip(f"no shapes at {SHAPES} (SHACL_SHAPES names another folder)")
        return request.param

    def test_every_property_occurs(self, graph: Graph, profile: str) -> None:
        """Each property that a profile gives to a class is said of at least one thing of that class."""
        shapes = Graph().parse(SHAPES / profile)
        absent = []
        for shape, kind in shapes.subject_objects(SH.targetClass):
            for rule in shapes.objects(shape, SH.property):
                path = shapes.value(rule, SH.path)
                path = ERRATA.get(path, path)  # pyright: ignore[reportArgumentType,reportCallIssue]
                if path and not any((each, path, None) in graph for each in graph.subjects(RDF.type, kind)):
                    absent.append((str(kind), str(path)))
        assert absent == []

    @pytest.mark.skipif(not SHAPES.is_dir(), reason=f"no shapes at {SHAPES}")
    @pytest.mark.parametrize("profile", [name for name in PROFILES if "hvd" not in name])
    def test_it_conforms(self, profile: str) -> None:
        """No violation, with the EU's code lists as background.

        Those of HVD speak of every dataset of a document: `test_demo_shapes` asks the portal for its HVD.
        """
        pyshacl = pytest.importorskip("pyshacl", reason="pyshacl is not installed")
        shapes = Graph().parse(SHAPES / profile)
        for shape, rule in list(shapes.subject_objects(SH.property)):
            if (rule, SH.path, None) not in shapes:
                shapes.remove((shape, SH.property, rule))
        data = read()
        for name in ("background.ttl", "background-access-right.ttl"):
            data.parse(SHAPES / "background" / name)
        conforms, _, text = pyshacl.validate(data, shacl_graph=shapes, inference=PROFILES[profile])
        assert conforms, text
