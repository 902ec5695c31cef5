"""Looking into tables: pages by keyset, conditions, figures, shapes, the page that shows them, OpenAPI."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urlsplit

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from catalogue_support import call_action, forget_tables, plugins_loaded  # noqa: F401
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import CKANTestApp, _get_test_app
from ckanext.ccphva_datastore.exploring import figures, tables
from ckanext.ccphva_datastore.exploring.query import Query
from ckanext.ccphva_datastore.exploring.storage import rows
from openapi_schema import faults

pytestmark = pytest.mark.usefixtures("plugins_loaded")

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"
FIELDS = [
    {"id": "commune", "type": "text", "info": {"label_translated": {"fr": "Commune", "de": "Gemeinde"}}},
    {"id": "100 % d'eau", "type": "numeric"},
    {"id": "rang", "type": "int"},
    {"id": "quand", "type": "timestamp"},
    {"id": "zone", "type": "timestamptz"},
    {"id": "vrai", "type": "bool"},
    {"id": "lieu", "type": "geometry"},
]
COMMUNES = ["Audun-le-Tiche", "Aumetz", "Boulange", "Ottange", "Rédange", "Russange", "Thil", "Villerupt"]


def row(number: int) -> dict[str, Any]:
    """Row n of 60: eight communes in turn, every tenth number empty, a value an hour."""
    return {
        "commune": COMMUNES[number % 8],
        "100 % d'eau": None if number % 10 == 0 else f"{number // 3}.5",
        "rang": number,
        "quand": f"2026-01-{1 + number // 24:02}T{number % 24:02}:30:00",
        "zone": f"2026-07-{1 + number // 24:02}T{number % 24:02}:30:00+00:00",
        "vrai": number % 2 == 0,
        "lieu": f"SRID=2154;POINT({917000 + 100 * number} 6934000)" if number % 4 else None,
    }


@pytest.fixture(scope="module")
def app(plugins_loaded: None) -> CKANTestApp:  # noqa: F811
    return _get_test_app()


@pytest.fixture(scope="module")
def made(app: CKANTestApp) -> Iterator[dict[str, str]]:
    """A dataset with a table of 60 rows, and one whose every text is an attack."""
    model.repo.rebuild_db()
    forget_tables()
    organization = factories.Organization()["id"]
    dataset = call_action("package_create", name="eau", title="Eau", owner_org=organization)

    def table(name: str, fields: list[dict[str, Any]], records: list[dict[str, Any]]) -> str:
        resource = {"package_id": dataset["id"], "name": name}
        return call_action("datastore_create", resource=resource, fields=fields, records=records)[
            "resource_id"
        ]

    texts = [
        {"id": f"nom {HOSTILE}", "type": "text", "info": {"label": HOSTILE, "notes": HOSTILE}},
        {"id": "lien", "type": "text"},
        {"id": "jour", "type": "date"},
    ]
    hostile = {texts[0]["id"]: HOSTILE + "</script>\u2028 {{ 7*7 }}", "jour": "2026-01-01"}
    yield {
        "table": table("eau", FIELDS, [row(number) for number in range(60)]),
        "hostile": table(
            "attaques",
            texts,
            [hostile | {"lien": "javascript:alert(1)"}, hostile | {"lien": "https://example.org/?a=1&b=2"}],
        ),
        "dataset": dataset["id"],
    }
    forget_tables()


Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(made: dict[str, str]) -> Ask:
    def call(action: str, **data: Any) -> dict[str, Any]:
        return call_action(f"ccphva_table_{action}", **({"resource_id": made["table"]} | data))

    return call


class TestRows:
    @pytest.mark.parametrize(
        "sort", ["", "commune", "100 % d'eau", "100 % d'eau desc", "quand desc", "vrai", "zone"]
    )
    @pytest.mark.parametrize("limit", [7, 60])
    def test_pages_forth_and_back_hold_every_row_once(self, ask: Ask, sort: str, limit: int) -> None:
        """Going on by the last row's place meets each row once, going back the same ones; empty ones last."""
        seen: list[list[int]] = []
        after = ""
        while True:
            page = ask("rows", sort=sort, limit=limit, after=after)
            seen.append(page["ids"])
            after = page["next"]
            if not after:
                break
        ids = [row for page in seen for row in page]
        assert sorted(ids) == list(range(1, 61))
        back = [page["ids"]]
        while page["previous"]:
            page = ask("rows", sort=sort, limit=limit, before=page["previous"])
            back.insert(0, page["ids"])
        assert [row for part in back for row in part] == ids
        if sort.startswith("100"):
            empty = [number + 1 for number in range(0, 60, 10)]
            assert ids[-6:] == empty

    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            (["rang", "gte", "58"], {58, 59}),
            (["rang", "eq", "5"], {5}),
            (["100 % d'eau", "eq", "1,5"], {3, 4, 5}),
            (["100 % d'eau", "empty"], {0, 10, 20, 30, 40, 50}),
            (["commune", "contains", "ang"], {n for n in range(60) if n % 8 in (2, 3, 4, 5)}),
            (["commune", "starts", "rus"], {n for n in range(60) if n % 8 == 5}),
            (["commune", "contains", "%"], set()),
            (["commune", "contains", "_"], set()),
            (["quand", "eq", "2026-01-02"], set(range(24, 48))),
            (["quand", "lte", "2026-01-01"], set(range(24))),
            (["quand", "gt", "2026-01-02"], set(range(48, 60))),
            (["quand", "gte", "2026-01-02T12:30:00"], set(range(36, 60))),
            (["zone", "lt", "2026-07-01T02:30:00"], set()),
            (["zone", "lte", "2026-07-01T02:30:00"], {0}),  # half past two in Paris is half past midnight UTC
            (["zone", "eq", "2026-07-01T00:30:00+00:00"], {0}),
            (["vrai", "eq", "false"], set(range(1, 60, 2))),
            (["vrai", "ne", "true"], set(range(1, 60, 2))),
            (["lieu", "empty"], set(range(0, 60, 4))),
            (["commune", "ne", "Thil"], {n for n in range(60) if n % 8 != 6}),
        ],
        ids=lambda part: " ".join(part) if isinstance(part, list) else "",
    )
    def test_conditions(
        self, app: CKANTestApp, made: dict[str, str], ask: Ask, where: list[str], expected: set[int]
    ) -> None:
        """Each operator gives the rows that it means, and the download gives the very same ones."""
        page = ask("rows", where=[where], limit=100)
        assert {record["rang"] for record in page["records"]} == expected
        assert page["total"] == len(expected)
        pairs = dict(zip(("column", "op", "value"), [*where, ""], strict=False))
        dump = app.get(f"/datastore/dump/{made['table']}?{urlencode(pairs)}")
        assert {int(each["rang"]) for each in csv.DictReader(io.StringIO(dump.body))} == expected

    def test_search(self, app: CKANTestApp, made: dict[str, str], ask: Ask) -> None:
        """Words and beginnings of words, all of them; signs of query languages are only signs."""
        assert ask("rows", search="ottan")["total"] == 8
        assert ask("rows", search="ottange thil")["total"] == 0
        for odd in ("' OR 1=1 --", "a & | !", "\\", ":*", "'", "((", "%"):
            ask("rows", search=odd)
        dump = app.get(f"/datastore/dump/{made['table']}?search=ottan&format=json")
        assert len(json.loads(dump.body)["records"]) == 8

    @pytest.mark.parametrize(
        "wrong",
        [
            {"sort": "nosuch"},
            {"sort": "lieu"},
            {"where": [["nosuch", "eq", "1"]]},
            {"where": [["rang", "contains", "1"]]},
            {"where": [["rang", "eq", "un"]]},
            {"where": [["rang", "eq", "NaN"]]},
            {"where": [["rang", "eq", "1e999999999"]]},
            {"where": [["quand", "eq", "hier"]]},
            {"where": [["quand", "lte", "9999-12-31"]]},
            {"where": [["vrai", "eq", "peut-être"]]},
            {"where": [["rang"]]},
            {"where": "rang"},
            {"where": {"rang": 1}},
            {"where": [["rang", "gte", "1"]] * 21},
            {"search": "x" * 1001},
            {"search": " ".join("abcdefghijkl")},
            {"search": "a\0b"},
            {"after": "%%%"},
            {"after": "bnVsbA"},
            {"after": "WzEsMl0"},
            {"fields": ["nosuch"]},
            {"limit": 0},
            {"limit": "many"},
        ],
        ids=lambda wrong: json.dumps(wrong)[:60],
    )
    def test_what_cannot_be_answered_is_named(self, ask: Ask, wrong: dict[str, Any]) -> None:
        """A sentence for each, without SQL."""
        with pytest.raises(tk.ValidationError) as refused:
            ask("rows", **wrong)
        assert "SELECT" not in str(refused.value.error_dict)

    def test_a_number_larger_than_the_column_is_an_answer(self, ask: Ask) -> None:
        """Nothing is that large: no row, no fault."""
        assert ask("rows", where=[["rang", "gte", "99999999999999999999999"]])["total"] == 0
        assert ask("rows", where=[["rang", "eq", "1,5"]])["total"] == 0

    def test_counting_is_bounded(
        self, made: dict[str, str], ask: Ask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A count that takes too long is left out, one of many rows stops: the page comes all the same."""
        monkeypatch.setattr(rows, "MOST_COUNTED", 10)
        assert ask("rows", where=[["rang", "gte", "0"]])["total"] == 11
        monkeypatch.setattr(rows, "COUNT_MILLISECONDS", 50)
        slow: Any = SimpleNamespace(sql="(SELECT pg_sleep(2)) AS slow")
        with tables.looking({"user": ""}, made["table"], "ccphva_table_rows") as looked:
            assert rows.count(looked.connection, slow, looked.where(Query())) is None
            limit = looked.connection.execute(sa.text("SHOW statement_timeout")).scalar()
            assert rows.count(looked.connection, looked.relation, looked.where(Query())) == 11
            assert looked.connection.execute(sa.text("SHOW statement_timeout")).scalar() == limit == "10s"


class TestFigures:
    def test_summary(self, ask: Ask) -> None:
        found = ask("summary")
        assert found["total"] == 60
        assert found["columns"]["rang"] == {"filled": 60, "empty": 0, "min": 0, "max": 59, "mean": 29.5}
        assert found["columns"]["100 % d'eau"]["empty"] == 6
        assert found["columns"]["quand"]["max"] == "2026-01-03 11:30:00"
        assert ask("summary", where=[["rang", "lt", "3"]], fields=["rang"])["columns"]["rang"]["mean"] == 1

    def test_histogram_of_numbers(self, ask: Ask) -> None:
        """Bins of round width that together hold every value."""
        bins = ask("histogram", column="rang")["bins"]
        assert sum(each["count"] for each in bins) == 60
        assert (bins[0], len(bins)) == ({"from": 0, "to": 5, "count": 5}, 12)
        assert sum(each["count"] for each in ask("histogram", column="100 % d'eau")["bins"]) == 54

    def test_histogram_of_others(self, ask: Ask) -> None:
        assert len(ask("histogram", column="commune")["bins"]) == 8
        assert ask("histogram", column="quand")["bucket"] == "day"
        assert {each["value"] for each in ask("histogram", column="vrai")["bins"]} == {True, False}

    def test_by_time(self, ask: Ask) -> None:
        """The same numbers as by hand; a day by the reader's clock where moments have a zone."""
        found = ask("aggregate", x="quand", y="rang", function="sum", bucket="day")
        days = [f"2026-01-0{n}T00:00:00" for n in (1, 2, 3)]
        sums = [sum(range(24)), sum(range(24, 48)), sum(range(48, 60))]
        assert [(each["x"], each["y"]) for each in found["groups"]] == list(zip(days, sums, strict=True))
        zoned = ask("aggregate", x="zone", bucket="day")
        assert [each["rows"] for each in zoned["groups"]] == [22, 24, 14]
        assert ask("aggregate", x="quand")["bucket"] == "hour"

    @pytest.mark.parametrize(
        ("function", "expected"), [("avg", 29.5), ("median", 29.5), ("min", 0), ("max", 59), ("count", 60)]
    )
    def test_functions(self, ask: Ask, function: str, expected: float) -> None:
        """All 60 in one group."""
        found = ask("aggregate", x="quand", y="rang", function=function, bucket="century")
        assert [each["y"] for each in found["groups"]] == [expected]

    def test_by_category(self, ask: Ask) -> None:
        found = ask("aggregate", x="commune", limit=3)
        assert [each["y"] for each in found["groups"]] == [8, 8, 8]
        assert found["truncated"]
        assert not ask("aggregate", x="commune")["truncated"]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"x": "nosuch"},
            {"x": "lieu"},
            {"x": "rang", "y": "commune"},
            {"x": "rang", "function": "sum"},
            {"x": "rang", "y": "rang", "function": "count(*); drop"},
            {"x": "quand", "bucket": "fortnight'"},
            {},
        ],
        ids=json.dumps,
    )
    def test_what_cannot_be_answered_is_named(self, ask: Ask, wrong: dict[str, Any]) -> None:
        with pytest.raises(tk.ValidationError):
            ask("aggregate", **wrong)

    @pytest.mark.parametrize(
        ("least", "most", "whole", "step"),
        [
            (0, 59, True, 5),
            (0, 1, False, 0.05),
            (5, 5, True, 1),
            (0, 3, True, 1),
            (-1e12, 1e12, False, 1e11),
            (0, 0, False, 1),
        ],
    )
    def test_steps_are_round(self, least: float, most: float, whole: bool, step: float) -> None:
        assert figures.nice_step(least, most, whole) == pytest.approx(step)

    def test_shapes(self, ask: Ask) -> None:
        """WGS 84 with the row's id; a box keeps what touches it, and a bound says that there are more."""
        found = ask("features")
        assert len(found["features"]) == 45
        assert not found["truncated"]
        first = found["features"][0]
        assert (first["id"], first["properties"]["label"]) == (2, "Aumetz")
        assert 5.9 < first["geometry"]["coordinates"][0] < 6.1
        assert ask("features", box=[0, 0, 1, 1])["features"] == []
        assert ask("features", limit=10)["truncated"]
        for wrong in ([1, 2, 3], ["a", 1, 2, 3], [None] * 4, [1e400, 0, 0, 0], "x"):
            with pytest.raises(tk.ValidationError):
                ask("features", box=wrong)


class TestPage:
    def get(
        self,
        app: CKANTestApp,
        made: dict[str, str],
        query: str = "",
        table: str = "table",
        language: str = "fr",
        part: str = "",
    ) -> BeautifulSoup:
        answer = app.get(f"/{language}/dataset/eau/resource/{made[table]}{part}{query}")
        assert answer.status_code == 200
        return BeautifulSoup(answer.body, "html.parser")

    def test_without_scripts(self, app: CKANTestApp, made: dict[str, str]) -> None:
        """The first rows in the reader's numbers and dates, with links for order and further rows."""
        page = self.get(app, made)
        explorer = page.select_one("#explorer")
        assert explorer
        assert len(explorer.select("tbody tr")) == 25
        assert "60 lignes" in explorer.select_one(".t-count").text
        assert explorer.select_one("thead th a[id]").text.strip(" ↑↓") == "Commune"
        second = explorer.select("tbody tr")[1]
        assert "1 janv. 2026" in second.text
        assert "0,5" in second.text
        assert explorer.select_one("#rows-after")
        german = self.get(app, made, language="de").select_one("#explorer")
        assert "Gemeinde" in german.text
        assert "01.01.2026" in german.text

    def test_order_and_filters_by_links_and_forms(self, app: CKANTestApp, made: dict[str, str]) -> None:
        """What the address says is what is shown, and each link keeps the rest of it."""
        query = "?" + urlencode(
            {"column": "rang", "op": "gte", "value": "50", "sort": "rang desc", "fields": "rang"}
        )
        page = self.get(app, made, query)
        assert [row.find("td").text.strip() for row in page.select("#explorer tbody tr")] == [
            str(n) for n in range(59, 49, -1)
        ]
        assert page.select_one('th[aria-sort="descending"]')
        removal = page.select_one(".t-chosen a")["href"]
        assert "sort=rang+desc" in removal
        assert "column" not in removal
        downloads = {each.text: each["href"] for each in page.select(".t-downloads a")}
        assert set(downloads) == {"CSV", "TSV", "JSON", "JSON Lines", "XML", "Parquet", "GeoJSON"}
        address = urlsplit(downloads["CSV"])._replace(scheme="", netloc="").geturl()
        assert app.get(address).body.lstrip("\ufeff").splitlines() == ["rang", *map(str, range(59, 49, -1))]

    def test_the_part_is_the_explorer_alone(self, app: CKANTestApp, made: dict[str, str]) -> None:
        part = self.get(app, made, "?view=chart", part="/table")
        assert part.select_one("#explorer [data-chart]")
        assert not part.select("html")

    @pytest.mark.parametrize("view", ["table", "map", "time", "chart"])
    @pytest.mark.parametrize("language", ["fr", "de", "en", "lb"])
    def test_views(self, app: CKANTestApp, made: dict[str, str], view: str, language: str) -> None:
        """Each view has a table with its numbers or rows, and no script of its own in the page."""
        page = self.get(app, made, f"?view={view}&about=rang&row=5", language=language)
        assert page.select(f".t-tabs a[aria-current]#tab-{view}")
        assert page.select("#explorer .t-rows tbody tr")
        assert page.select(".t-about-column rect")
        assert page.select_one(".t-row dl")
        scripts = page.select("#explorer script")
        assert all(each.get("type") == "application/json" for each in scripts)
        assert not page.select("#explorer [style], #explorer [onclick]")

    def test_the_drawing_has_the_numbers_of_the_table(self, app: CKANTestApp, made: dict[str, str]) -> None:
        page = self.get(app, made, "?view=time&x=quand&y=rang&function=sum&bucket=day&from=2026-01-02")
        drawn = json.loads(page.select_one("[data-chart-data]").text)
        cells = [row.select_one("td").text for row in page.select(".t-figures tbody tr")]
        assert [point[3] for point in drawn["points"]] == cells == ["852", "642"]

    @pytest.mark.parametrize(
        "query",
        [
            "",
            "?view=chart",
            "?about=nom+%3Cscript%3Ealert(1)%3C/script%3E%3Cimg+src%3Dx+onerror%3Dalert(1)%3E",
            "?row=1",
            "?search=%3Cscript%3E",
            "?view=time",
        ],
    )
    def test_hostile_cells_are_texts(self, app: CKANTestApp, made: dict[str, str], query: str) -> None:
        """Names, labels, notes and values that are markup are shown, never made part of the page."""
        page = self.get(app, made, query, table="hostile")
        explorer = page.select_one("#explorer")
        assert not explorer.select("img")
        assert all(each.get("type") == "application/json" for each in explorer.select("script"))
        assert [link["href"] for link in explorer.select('a[rel*="ugc"]')] in (
            [],
            ["https://example.org/?a=1&b=2"],
        )
        assert not [link for link in explorer.select("a") if link["href"].startswith("javascript")]

    @pytest.mark.parametrize(
        "query",
        [
            "?sort=nosuch",
            "?column=rang&op=eq&value=un",
            "?after=zzz",
            "?column=x&op=&value=",
            "?about=nosuch",
            "?about=lieu",
            "?view=nosuch",
            "?row=99999",
            "?row=-1",
            "?fields=nosuch",
            "?view=chart&x=nosuch&y=nosuch&function=nosuch",
            "?view=time&from=hier",
            "?view=time&bucket=x",
        ],
    )
    def test_odd_addresses_help(self, app: CKANTestApp, made: dict[str, str], query: str) -> None:
        """Never a 500: a sentence and a way back, or the nearest page that makes sense."""
        assert self.get(app, made, query).select_one("#explorer").text.strip()

    def test_a_resource_without_table_is_as_before(self, app: CKANTestApp, made: dict[str, str]) -> None:
        resource = call_action(
            "resource_create", package_id=made["dataset"], url="https://example.org/x.pdf", name="x"
        )
        assert not BeautifulSoup(
            app.get(f"/dataset/eau/resource/{resource['id']}").body, "html.parser"
        ).select("#explorer")
        for path in ("table", "api", "openapi.json"):
            assert app.get(f"/dataset/eau/resource/{resource['id']}/{path}").status_code == 404
            assert app.get(f"/dataset/nosuch/resource/{made['table']}/{path}").status_code == 404


class TestOpenApi:
    def test_it_describes_the_table(self, app: CKANTestApp, made: dict[str, str]) -> None:
        """Version, real columns and types, and only paths that answer."""
        found = json.loads(app.get(f"/dataset/eau/resource/{made['table']}/openapi.json").body)
        assert found["openapi"] == "3.1.0"
        properties = found["components"]["schemas"]["Row"]["properties"]
        assert list(properties) == ["_id", *(field["id"] for field in FIELDS)]
        assert properties["rang"]["type"] == ["integer", "null"]
        for path, item in found["paths"].items():
            needed = {each["name"]: "rang" for each in item["get"]["parameters"] if each.get("required")}
            query = needed | ({"resource_id": made["table"]} if "resource_id" in needed else {})
            assert app.get(f"{path}?{urlencode(query)}").status_code == 200

    def test_answers_and_examples_are_valid(self, app: CKANTestApp, made: dict[str, str]) -> None:
        """The example, and what the portal answers now, fit the schema; something else does not."""
        for table in ("table", "hostile"):
            found = json.loads(app.get(f"/dataset/eau/resource/{made[table]}/openapi.json").body)
            content = found["paths"]["/api/3/action/datastore_search"]["get"]["responses"]["200"]["content"]
            media = content["application/json"]
            assert faults(media["example"], media["schema"], found) == []
            answer = json.loads(app.get(f"/api/3/action/datastore_search?resource_id={made[table]}").body)
            assert faults(answer, media["schema"], found) == []
            answer["result"]["records"][0]["_id"] = "one"
            assert faults(answer, media["schema"], found) != []

    @pytest.mark.parametrize("table", ["table", "hostile"])
    def test_a_page_for_people(self, app: CKANTestApp, made: dict[str, str], table: str) -> None:
        page = BeautifulSoup(app.get(f"/dataset/eau/resource/{made[table]}/api").body, "html.parser")
        assert page.select(".t-api table tbody tr")
        assert not page.select(".t-api img, .t-api script")
