"""Our own search on a real Solr: filters, order, pages, suggestions, feed, bad input, and nothing of
what is hidden.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import ckan.plugins.toolkit as tk
import pytest
from bs4 import BeautifulSoup
from catalogue_support import call_action
from ckan.lib.search.common import SearchError
from ckan.tests import factories
from ckan.tests.helpers import CKANTestApp, _get_test_app
from ckanext.ccphva.finding import places
from demo_catalogue import demo_catalogue

CANARY = "zinkenblende"
ATOM = "{http://www.w3.org/2005/Atom}"
BOUND = 5.0
"""Seconds: far above what any answer takes, far below what a reader waits."""


@pytest.fixture(scope="module")
def app(reset_db: Any, reset_index: Any) -> Iterator[CKANTestApp]:
    """The demonstration's catalogue, and one private dataset full of a word that nothing else has."""
    with demo_catalogue(reset_db, reset_index):
        call_action(
            "package_create",
            name="prive-zinkenblende",
            owner_org="thil",
            visibility="private",
            title_translated=dict.fromkeys(("fr", "de", "en", "lb"), f"Relevés {CANARY}"),
            notes_translated={"fr": f"{CANARY} {CANARY}"},
            tags_translated={"fr": [CANARY]},
            license_id="etalab-2.0",
            hvd_category=["http://data.europa.eu/bna/c_a9135398"],
            applicable_legislation=["http://data.europa.eu/eli/reg_impl/2023/138/oj"],
            frequency="http://publications.europa.eu/resource/authority/frequency/HOURLY",
            resources=[{"url": "https://example.org/x", "format": CANARY, "name": CANARY}],
        )
        yield _get_test_app()


def ask(**payload: Any) -> dict[str, Any]:
    return tk.get_action("ccphva_dataset_search")({"user": payload.pop("user", "")}, payload)


def stock(**payload: Any) -> dict[str, Any]:
    return tk.get_action("package_search")({"user": payload.pop("user", "")}, payload)


def facet(found: dict[str, Any], name: str) -> dict[str, int]:
    values = next((each["values"] for each in found["facets"] if each["name"] == name), [])
    return {value["value"]: value["count"] for value in values}


def soup(app: CKANTestApp, path: str, status: int = 200) -> BeautifulSoup:
    answer = app.get(path, status=status)
    return BeautifulSoup(answer.body, "html.parser")


def names(found: dict[str, Any]) -> list[str]:
    return [each["name"] for each in found["results"]]


@pytest.mark.usefixtures("app")
class TestSameAsCore:
    @pytest.mark.parametrize(
        "q",
        [
            "",
            "déchets",
            "eau commune",
            "déchets OR énergie",
            "eau -qualité",
            "budget*",
            "décehts",
            "*:*",
            "name:budget*",
        ],
    )
    def test_order_and_hits_are_those_of_package_search(self, q: str) -> None:
        """One order and one number, whoever asks by which action; a mistyped word is mended by both."""
        ours, core = ask(q=q, rows=100), stock(q=q, rows=100, fq="+dataset_type:dataset")
        assert ours["count"] == core["count"] > 0
        assert (
            sorted(names(ours)) == sorted(names(core))
            if q in ("", "*:*", "budget*", "name:budget*")
            else names(ours) == names(core)
        )

    def test_filters_by_core_find_the_same(self) -> None:
        """The fields of the filters are there for every client of the API."""
        found = stock(
            q="eau", fq='+dataset_type:dataset +facet_theme:"ENVI"', **{"facet.field": ["facet_theme"]}
        )
        assert found["count"] == ask(q="eau", filters={"theme": ["ENVI"]})["count"]
        assert found["search_facets"]["facet_theme"]["items"]


@pytest.mark.usefixtures("app")
class TestFilters:
    @pytest.mark.parametrize(
        "name", ["theme", "organization", "commune", "format", "licence", "access", "hvd", "updated", "live"]
    )
    def test_every_filter_counts_what_it_finds(self, name: str) -> None:
        """The number beside a value is the number of datasets behind it."""
        counted = facet(ask(rows=1), name)
        assert counted
        for value, number in list(counted.items())[:3]:
            assert ask(rows=1, filters={name: [value]})["count"] == number

    def test_values_of_a_filter_widen_and_filters_narrow(self) -> None:
        """CSV or GeoJSON is more than CSV; CSV of one theme is less. A filter's own choice keeps its
        counts.
        """
        both, one = ask(filters={"format": ["CSV", "GeoJSON"]}), ask(filters={"format": ["CSV"]})
        assert both["count"] > one["count"] > ask(filters={"format": ["csv"], "theme": ["ENVI"]})["count"]
        assert facet(one, "format") == facet(ask(), "format")

    def test_names_are_in_the_readers_language(self) -> None:
        """Filters of a German reader are German."""
        found = {each["name"]: each for each in ask(language="de")["facets"]}
        assert "Umwelt" in [value["label"] for value in found["theme"]["values"]]
        assert "Gemeindeverband Pays Haut Val d'Alzette" in [
            v["label"] for v in found["organization"]["values"]
        ]

    def test_a_commune_finds_what_is_about_it(self) -> None:
        """By its publisher or by its extent; a dataset of one commune is not in another."""
        assert any("villerupt" in name for name in names(ask(q="marchés", filters={"commune": ["54580"]})))
        assert not any(
            "villerupt" in name for name in names(ask(q="marchés", filters={"commune": ["57038"]}))
        )
        assert set(facet(ask(), "commune")) == set(places.names())

    def test_a_box_finds_what_meets_it(self) -> None:
        """Extents that meet the box; far away there is none."""
        assert (
            ask(bbox="5.8,49.3,6.1,49.6")["count"]
            == stock(extras={"ext_bbox": "5.8,49.3,6.1,49.6"}, fq="+dataset_type:dataset")["count"]
            > 0
        )
        assert ask(bbox="1,40,2,41")["count"] == 0

    @pytest.mark.parametrize("sort", ["relevance", "updated", "newest", "title", "title-desc"])
    def test_orders(self, sort: str) -> None:
        """Every order finds all; titles are in the order of the reader's language."""
        found = ask(sort=sort, language="de", rows=100)
        assert found["count"] == len(found["results"]) >= 75
        if sort == "title":
            titles = [each["title"] for each in found["results"]]
            assert titles[0].startswith("Abfallmengen")


@pytest.mark.usefixtures("app")
class TestPages:
    def test_cursors_neither_miss_nor_repeat(self) -> None:
        """All pages by cursor are all datasets once, although one is written meanwhile."""
        seen, cursor, pages = [], "*", 0
        while cursor:
            found = ask(q="", rows=20, cursor=cursor, sort="updated")
            seen += names(found)
            cursor, pages = found["next_cursor"], pages + 1
            if pages == 2:
                call_action("package_patch", id=seen[0], version="2.0")
        assert len(seen) == len(set(seen)) == ask()["count"]

    @pytest.mark.parametrize("page", ["1000000000", "9" * 400, "501"], ids=lambda page: page[:12])
    def test_a_page_that_is_not_there_leads_back(self, app: CKANTestApp, page: str) -> None:
        """404 with the way to the last page, in bounded time."""
        began = time.perf_counter()
        shown = soup(app, f"/dataset/?page={page}", 404)
        assert time.perf_counter() - began < BOUND
        assert shown.select_one(".t-nothing a")["href"] == "/dataset/?page=4"

    def test_pages_follow_each_other(self, app: CKANTestApp) -> None:
        """The second page has other datasets than the first, and the links keep the search."""
        first, second = (
            soup(app, "/fr/dataset/?q=commune&sort=title"),
            soup(app, "/fr/dataset/?q=commune&sort=title&page=2"),
        )
        assert first.select_one("a[rel=next]")["href"] == "/fr/dataset/?q=commune&sort=title&page=2"
        titles = [{link["href"] for link in page.select(".dataset-heading a")} for page in (first, second)]
        assert titles[0]
        assert titles[1]
        assert not titles[0] & titles[1]

    @pytest.mark.parametrize("cursor", ["x", "AoE=", "é", "'"])
    def test_a_cursor_of_others_is_a_bad_request(self, app: CKANTestApp, cursor: str) -> None:
        """No fault of ours."""
        assert app.get(f"/search/feed.atom?cursor={cursor}").status_code == 400
        with pytest.raises(SearchError):
            ask(cursor=cursor)


@pytest.mark.usefixtures("app")
class TestMistyped:
    def test_the_page_says_what_it_searched_instead(self, app: CKANTestApp) -> None:
        """Words that find nothing are mended, and the reader is told."""
        shown = soup(app, "/de/dataset/?q=Wanderwge")
        assert "„wanderweg" in shown.select_one(".t-search-note").text
        assert "Wanderwege" in shown.select_one(".dataset-heading").text

    def test_nothing_at_all_offers_ways_on(self, app: CKANTestApp) -> None:
        """A search that nothing helps leads to broader ones and to the themes."""
        shown = soup(app, "/fr/dataset/?q=qqqxxqq+wwwyyww&theme=ENVI")
        links = {link["href"] for link in shown.select(".t-nothing a")}
        assert {"/fr/dataset/", "/fr/dataset/?q=qqqxxqq+wwwyyww", "/fr/dataset/?theme=ENVI"} <= links
        assert "/fr/dataset/?q=qqqxxqq+OR+wwwyyww&theme=ENVI" in links


@pytest.mark.usefixtures("app")
class TestSuggestions:
    @pytest.mark.parametrize(
        ("typed", "language", "kind", "title"),
        [
            ("dech", "fr", "dataset", "Déchèteries et horaires"),
            ("envi", "de", "theme", "Umwelt"),
            ("umw", "fr", "theme", "Environnement"),
            ("ëmw", "lb", "theme", "Ëmwelt"),
            ("Gemeindev", "fr", "organization", "Communauté de communes du Pays Haut Val d'Alzette"),
            ("wander", "de", "dataset", "Wanderwege"),
            ("l'air", "fr", "dataset", "Capteurs de qualité de l'air"),
        ],
    )
    def test_beginnings_in_any_language(self, typed: str, language: str, kind: str, title: str) -> None:
        """Datasets, themes and organisations by the beginning of a word, named in the reader's language."""
        found = tk.get_action("ccphva_search_suggest")({"user": ""}, {"q": typed, "language": language})
        assert (kind, title) in [(each["kind"], each["title"]) for each in found]

    def test_the_door(self, app: CKANTestApp) -> None:
        """JSON with addresses in the reader's language, and no cookie."""
        answer = app.get("/de/search/suggest?q=abf")
        assert {each["url"] for each in json.loads(answer.body) if each["kind"] == "dataset"} >= {
            each["url"] for each in json.loads(answer.body) if each["url"].startswith("/de/dataset/")
        }
        assert json.loads(answer.body)
        assert "Set-Cookie" not in answer.headers

    @pytest.mark.parametrize(
        "typed", ["", "a", "(", "*", "%00", "{!x}", "x" * 5000, '"', "😀😀"], ids=lambda q: repr(q)[:12]
    )
    def test_odd_beginnings_suggest_nothing(self, app: CKANTestApp, typed: str) -> None:
        """No fault for what nobody means."""
        assert json.loads(app.get("/search/suggest", query_string={"q": typed}).body) == []


@pytest.mark.usefixtures("app")
class TestFeed:
    def test_a_search_as_a_feed(self, app: CKANTestApp) -> None:
        """Atom with the datasets of the search, its page and itself; more pages by cursor, all
        datasets once.
        """
        answer = app.get("/de/search/feed.atom?theme=ENVI")
        assert answer.headers["Content-Type"].startswith("application/atom+xml")
        feed = ElementTree.fromstring(answer.body)  # noqa: S314 -- ours
        links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
        assert links["alternate"].endswith("/de/dataset/?theme=ENVI")
        assert len(feed.findall(f"{ATOM}entry")) == ask(filters={"theme": ["ENVI"]})["count"]
        assert all(entry.findtext(f"{ATOM}author/{ATOM}name") for entry in feed.findall(f"{ATOM}entry"))
        assert soup(app, "/de/dataset/?theme=ENVI").select_one("link[type='application/atom+xml']")

    def test_pages_of_a_feed(self, app: CKANTestApp) -> None:
        """`next` leads on until all were there."""
        ids: list[str | None] = []
        address: str | None = "/search/feed.atom"
        while address:
            feed = ElementTree.fromstring(app.get(address).body)  # noqa: S314 -- ours
            ids += [entry.findtext(f"{ATOM}id") for entry in feed.findall(f"{ATOM}entry")]
            links = {link.get("rel"): str(link.get("href")) for link in feed.findall(f"{ATOM}link")}
            address = links["next"].partition("/search/")[2] if "next" in links else None
            address = f"/search/{address}" if address else None
        assert len(ids) == len(set(ids)) == ask()["count"]


HOSTILE = [
    "(",
    '"',
    "AND",
    "[* TO",
    "\\",
    "{!lucene}x",
    "{!func}sum(1,2)",
    "{!xmlparser v='<x/>'}",
    '_query_:"{!x}"',
    "_val_:x",
    "*",
    "*:*",
    "**",
    "?*?",
    "*a*b*c*d*",
    "a" * 10_000,
    "mot " * 2_500,
    "( " * 5_000,
    "name:[",
    "title:(",
    'name:"',
    "x^1e999",
    "a~99999",
    "/(a+)+$/",
    "\x00",
    "😀",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "+permission_labels:*",
    "capacity:private",
]


class TestBadInput:
    @pytest.mark.parametrize("q", HOSTILE, ids=lambda q: repr(q)[:20])
    def test_any_query_is_answered(self, app: CKANTestApp, q: str) -> None:
        """A page with results or a way on, in bounded time; the API answers, or says that it does not
        understand.
        """
        began = time.perf_counter()
        answer = app.get("/fr/dataset/", query_string={"q": q}, status=200)
        assert app.get("/api/3/action/package_search", query_string={"q": q}).status_code in (200, 400, 409)
        assert app.get("/api/3/action/ccphva_dataset_search", query_string={"q": q}).status_code == 200
        assert time.perf_counter() - began < BOUND
        assert "<script>alert(1)" not in answer.body
        assert CANARY not in answer.body

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("organization", 'x" OR capacity:private OR name:"y'),
            ("organization", 'thil") OR *:* OR ("'),
            ("theme", "{!lucene}*:*"),
            ("tags", "x\\"),
            ("vocab_keywords_fr", '" OR permission_labels:*'),
            ("format", "*"),
            ("licence", "x" * 10_000),
            ("commune", "\x00"),
        ],
        ids=lambda value: repr(value)[:20],
    )
    def test_a_filter_is_a_value_and_nothing_else(self, app: CKANTestApp, name: str, value: str) -> None:
        """What looks like Solr's language in a filter finds what bears that very name: nothing."""
        shown = soup(app, f"/fr/dataset/?{name}=" + quote(value))
        if value != "\x00":
            assert not shown.select(".dataset-item")
        assert CANARY not in str(shown)

    @pytest.mark.parametrize(
        "path",
        [
            "colour=blue",
            "fq=state:deleted",
            "updated=never",
            "sort=evil+desc",
            "ext_bbox=a,b,c,d",
            "page=-1",
            "page=x",
        ],
    )
    def test_what_is_unknown_is_left_out(self, app: CKANTestApp, path: str) -> None:
        """The page shows everything and says what it did not understand."""
        shown = soup(app, f"/fr/dataset/?{path}")
        assert len(shown.select(".dataset-item")) == 20
        assert bool(shown.select(".t-search-note")) is not path.startswith("page")

    @pytest.mark.parametrize("start", [10**9, 10**18, 2**31, -1])
    def test_the_api_refuses_or_answers_far_pages(self, app: CKANTestApp, start: int) -> None:
        """No 500, whatever the number."""
        found = app.get(f"/api/3/action/package_search?start={start}")
        assert found.status_code in (200, 400, 409)

    def test_solr_away(self, app: CKANTestApp, ckan_config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """The page says so in the reader's language with what still works; suggestions are silent,
        the feed waits.
        """
        monkeypatch.setitem(ckan_config, "solr_url", "http://127.0.0.1:9/solr/none")
        answer = app.get("/de/dataset/?q=eau", status=503)
        assert answer.headers["Retry-After"]
        shown = BeautifulSoup(answer.body, "html.parser")
        assert shown.h1.text == "Die Suche ruht"
        assert shown.select_one("#search-results a[href='/de/licences']")
        assert shown.select_one("#field-finding")["value"] == "eau"
        assert app.get("/search/suggest?q=eau").body == "[]"
        assert app.get("/search/feed.atom", status=503).headers["Retry-After"]


class TestNothingHidden:
    """The private dataset, asked for at every door by everybody who may not see it."""

    PARTS = (
        CANARY,
        CANARY[:5],
        f"{CANARY[:-1]}x",
        "Relevés zinkenblend",
        "zinkenblenden",
        f"eau {CANARY}",
        f"eau OR {CANARY}",
    )

    @pytest.fixture(scope="class", params=["", "stranger"])
    def user(self, request: pytest.FixtureRequest, app: CKANTestApp) -> str:
        return factories.User()["name"] if request.param else ""

    @pytest.mark.parametrize("q", PARTS)
    def test_actions(self, user: str, q: str) -> None:
        """Neither hits, counts, filters, corrections nor suggestions tell of it."""
        for found in (
            ask(q=q, user=user, include_private=True),
            stock(
                q=q, user=user, include_private=True, **{"facet.field": ["facet_format", "tags", "facet_hvd"]}
            ),
            tk.get_action("ccphva_search_suggest")({"user": user}, {"q": q}),
        ):
            text = json.dumps(found, ensure_ascii=False).lower()
            for words in (q, q.lower()):
                text = text.replace(words.lower(), "")
            assert CANARY not in text

    def test_counts(self, user: str) -> None:
        """Its licence, format, category and commune add nothing to any count."""
        found = ask(user=user, include_private=True, rows=100)
        assert CANARY.upper() not in facet(found, "format")
        assert "c_a9135398" not in facet(found, "hvd")
        assert "private" not in facet(found, "access")
        assert found["count"] == sum(1 for _ in found["results"])

    def test_a_word_of_it_is_no_word(self, user: str) -> None:
        """A mistyped and a never written word get the same answer: nothing tells which of them exists."""
        there, nowhere = (
            ask(q=CANARY, user=user, include_private=True),
            ask(q="zonkenblunde", user=user, include_private=True),
        )
        same = ("count", "corrected", "meant")
        assert [there[name] for name in same] == [nowhere[name] for name in same] == [0, None, None]

    @pytest.mark.parametrize(
        "path",
        [
            "/dataset/?q={}",
            "/search/suggest?q={}",
            "/search/feed.atom?q={}",
            "/de/dataset/?tags={}",
            "/dataset/?format={}",
        ],
    )
    def test_pages(self, app: CKANTestApp, path: str) -> None:
        """No page shows more than the reader typed."""
        body = app.get(path.format(CANARY)).body
        assert "prive-" not in body
        assert "Relevés" not in body

    def test_who_may_see_it_finds_it(self, app: CKANTestApp) -> None:
        """A member of its organisation and an administrator do, at the same doors."""
        member = factories.User()["name"]
        call_action("organization_member_create", id="thil", username=member, role="member")
        for user in (member, factories.Sysadmin()["name"]):
            assert names(ask(q=CANARY, user=user, include_private=True)) == ["prive-zinkenblende"]
            assert ask(q=CANARY, user=user)["count"] == 0
            found = tk.get_action("ccphva_search_suggest")({"user": user}, {"q": CANARY[:6]})
            assert [each["name"] for each in found] == ["prive-zinkenblende"]


class TestPage:
    def test_chips_take_filters_away(self, app: CKANTestApp) -> None:
        """Each filter at work is a chip that leads to the search without it."""
        shown = soup(app, "/fr/dataset/?q=eau&theme=ENVI&format=CSV&ext_bbox=5.8,49.3,6.1,49.6")
        chips = {" ".join(chip.text.split()): chip["href"] for chip in shown.select(".t-chip")}
        assert (
            chips["Retirer le filtre Thème: Environnement ×"]
            == "/fr/dataset/?q=eau&format=CSV&ext_bbox=5.8%2C49.3%2C6.1%2C49.6"
        )
        assert (
            chips["Retirer le filtre Format: CSV ×"]
            == "/fr/dataset/?q=eau&theme=ENVI&ext_bbox=5.8%2C49.3%2C6.1%2C49.6"
        )
        assert chips["Retirer tous les filtres"] == "/fr/dataset/?q=eau"
        assert shown.select_one(".t-facet [aria-current=true] .item-label").text == "Environnement"

    def test_the_map_is_made_of_links(self, app: CKANTestApp) -> None:
        """Each commune narrows the search to it, and a second time widens it again."""
        area = soup(app, "/fr/dataset/?q=eau").select_one(".t-map a[aria-label^=Villerupt]")
        assert area["href"] == "/fr/dataset/?q=eau&commune=54580"
        chosen = soup(app, area["href"]).select_one(".t-map a[aria-current=true]")
        assert chosen["href"] == "/fr/dataset/?q=eau"

    def test_the_form_keeps_the_filters(self, app: CKANTestApp) -> None:
        """Other words in the same theme: the form carries what is at work."""
        form = soup(app, "/fr/dataset/?q=eau&theme=ENVI&tags=x").select_one(".t-finding-form")
        assert [(each["name"], each["value"]) for each in form.select("input[type=hidden]")] == [
            ("theme", "ENVI"),
            ("tags", "x"),
        ]

    def test_long_queries_say_what_was_left_out(self, app: CKANTestApp) -> None:
        """The reader of a cut query is told."""
        assert (
            "24 premiers mots"
            in soup(app, "/fr/dataset/?q=" + "eau+" * 200).select_one(".t-search-note").text
        )
