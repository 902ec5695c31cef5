"""The seam of tables: every way of reading passes `IEffectiveRelation`, and none knows more than it gives."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from catalogue_support import call_action, forget_tables, plugins_loaded  # noqa: F401
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import CKANTestApp, _get_test_app
from ckanext.ccphva_datastore import backend, placement, relations, storage, views
from ckanext.ccphva_datastore.backend import Backend
from ckanext.ccphva_datastore.exploring import query as queries
from ckanext.ccphva_datastore.interfaces import IEffectiveRelation, Relation
from ckanext.datastore.backend import DatastoreBackend

pytestmark = pytest.mark.usefixtures("plugins_loaded")

ROWS = [
    {"place": "Rue de la Mine", "code": "01", "amount": 1, "secret": "falcon"},
    {"place": "Place du Marché", "code": "02", "amount": 2, "secret": "falcon"},
    {"place": "Rue de la Gare", "code": "03", "amount": 3, "secret": "heron"},
    {"place": "Impasse cachée", "code": "04", "amount": 9, "secret": "heron"},
]
FIELDS = [
    {"id": "place", "type": "text", "info": {"label": "Lieu"}},
    {"id": "code", "type": "text"},
    {"id": "amount", "type": "int"},
    {"id": "secret", "type": "text", "info": {"label": "Secret label"}},
]
VISIBLE = ["place", "code", "amount"]
ALIAS = "lieux-essai"


class Perimeters(p.SingletonPlugin):
    """Gives partners a part of each table, strangers nothing, and has no opinion on others."""

    p.implements(IEffectiveRelation)

    def resolve(self, context: Any, resource_id: str, action: str) -> Relation | None:
        asked.append((resource_id, action))
        user = context.get("user") or ""
        if user.startswith("partner"):
            return Relation("perimeter", f"part-{resource_id}")
        if user.startswith("stranger"):
            raise tk.ObjectNotFound("a reason that nobody may read")
        return None


asked: list[tuple[str, str]] = []


@pytest.fixture(scope="module")
def app(plugins_loaded: None) -> CKANTestApp:  # noqa: F811
    return _get_test_app()


@pytest.fixture(scope="module", autouse=True)
def perimeters(app: CKANTestApp) -> Iterator[None]:
    """The plugin above, after the portal's own; making an application loads those of the configuration."""
    stock = p.core._get_service
    own = {"test_perimeters": Perimeters}
    with mock.patch.object(p.core, "_get_service", lambda name: own[name]() if name in own else stock(name)):
        p.load("test_perimeters")
        yield
        p.unload("test_perimeters")


@pytest.fixture(scope="module")
def table(perimeters: None) -> Iterator[dict[str, Any]]:
    """A resource with a table, an alias and a perimeter; ids and tokens of three readers."""
    model.repo.rebuild_db()
    forget_tables()
    owner = factories.UserWithToken(name="owner-of-table")
    organization = factories.Organization(user=owner)
    dataset = call_action("package_create", name="tables", title="Tables", owner_org=organization["id"])
    made = call_action(
        "datastore_create",
        resource={"package_id": dataset["id"], "name": "lieux"},
        fields=FIELDS,
        records=ROWS,
        aliases=ALIAS,
        primary_key=["code"],
        calculate_record_count=True,
    )
    resource = made["resource_id"]
    with writing() as connection:
        connection.execute(
            sa.text(
                f'CREATE VIEW perimeter."part-{resource}" WITH (security_barrier) AS '  # noqa: S608
                "SELECT _id, to_tsvector(concat_ws(' ', place, code, amount)) AS _full_text, "
                f'place, code, amount FROM public."{resource}" WHERE amount < 5'
            )
        )
    yield {
        "id": resource,
        "dataset": dataset["id"],
        "owner": owner["token"],
        "partner": factories.UserWithToken(name="partner-one")["token"],
        "stranger": factories.UserWithToken(name="stranger-one")["token"],
    }
    call_action("datastore_delete", resource_id=resource, force=True)


def writing() -> Any:
    backend = DatastoreBackend.get_active_backend()
    assert isinstance(backend, Backend)
    return backend._get_write_engine().begin()


Ask = Callable[..., Any]


@pytest.fixture
def ask(app: CKANTestApp, table: dict[str, Any]) -> Ask:
    """Call an action over HTTP as one of the readers; the answer's status and bytes."""

    def call(reader: str, action: str, **data: Any) -> tuple[int, bytes]:
        headers = {"Authorization": table[reader]} if reader else {}
        payload = json.dumps({"resource_id": table["id"]} | data)
        answer = app.post(
            f"/api/3/action/{action}",
            data=payload,
            headers=headers | {"Content-Type": "application/json"},
        )
        return answer.status_code, answer.data

    return call


def result(answer: tuple[int, bytes]) -> dict[str, Any]:
    status, body = answer
    assert status == 200, body
    return json.loads(body)["result"]


class TestPerimeter:
    """A reader with a perimeter sees its columns and rows, by every way."""

    def test_search(self, ask: Ask) -> None:
        """Rows, fields, count and their dictionary are those of the perimeter."""
        found = result(ask("partner", "datastore_search"))
        assert [row["code"] for row in found["records"]] == ["01", "02", "03"]
        assert [field["id"] for field in found["fields"]] == ["_id", *VISIBLE]
        assert found["total"] == 3
        assert found["fields"][1]["info"]["label"] == "Lieu"

    def test_alias(self, ask: Ask) -> None:
        """An alias of the table is no way around."""
        found = result(ask("partner", "datastore_search", resource_id=ALIAS))
        assert found["total"] == 3
        assert "secret" not in json.dumps(found)

    def test_the_views_own_name_is_no_address(self, ask: Ask, table: dict[str, Any]) -> None:
        """Perimeters are not resources: nobody reads one by its name."""
        for reader in ("", "partner", "owner"):
            assert ask(reader, "datastore_search", resource_id=f"part-{table['id']}")[0] == 404

    @pytest.mark.parametrize("q", ["falcon", "heron", "cachée"])
    def test_full_text_of_what_is_hidden_finds_nothing(self, ask: Ask, q: str) -> None:
        """Words of hidden columns and rows are not found, and not counted."""
        found = result(ask("partner", "datastore_search", q=q))
        assert (found["records"], found["total"]) == ([], 0)

    def test_full_text_of_what_is_visible(self, ask: Ask) -> None:
        """Full text works on what the reader sees."""
        assert result(ask("partner", "datastore_search", q="gare"))["total"] == 1
        assert result(ask("partner", "datastore_search", q={"place": "gare"}))["total"] == 1

    def test_distinct_and_sort(self, ask: Ask) -> None:
        """Distinct values and order come from visible rows alone."""
        found = result(
            ask("partner", "datastore_search", fields=["amount"], distinct=True, sort="amount desc")
        )
        assert [row["amount"] for row in found["records"]] == [3, 2, 1]
        assert found["total"] == 3

    @pytest.mark.parametrize(
        "query",
        [
            {"fields": ["FIELD"]},
            {"sort": "FIELD"},
            {"filters": {"FIELD": "falcon"}},
            {"filters": {"$or": [{"FIELD": "falcon"}, {"code": "01"}]}},
            {"q": {"FIELD": "falcon"}},
            {"full_text": "a", "q": {"FIELD": "falcon"}},
            {"fields": ["FIELD"], "distinct": True},
        ],
        ids=json.dumps,
    )
    @pytest.mark.parametrize("form", ["objects", "lists", "csv", "tsv"])
    def test_hidden_is_as_absent(self, ask: Ask, query: dict[str, Any], form: str) -> None:
        """A hidden column and one that does not exist give the same bytes."""

        def asked_for(column: str) -> tuple[int, bytes]:
            data = json.loads(json.dumps(query).replace("FIELD", column))
            status, body = ask("partner", "datastore_search", records_format=form, **data)
            return status, body.replace(column.encode(), b"FIELD")

        hidden, absent = asked_for("secret"), asked_for("nosuch")
        assert hidden == absent
        assert hidden[0] == 409
        assert not [word for word in (b"SELECT", b"perimeter", b"part-", b"falcon") if word in hidden[1]]

    @pytest.mark.parametrize("form", ["csv", "tsv", "json", "jsonl", "xml"])
    def test_dump(self, app: CKANTestApp, table: dict[str, Any], form: str) -> None:
        """A dump holds what the reader sees."""
        answer = app.get(
            f"/datastore/dump/{table['id']}?format={form}", headers={"Authorization": table["partner"]}
        )
        assert "Gare" in answer.body
        assert not [word for word in ("secret", "falcon", "heron", "cachée") if word in answer.body]

    def test_dump_is_complete_csv(self, app: CKANTestApp, table: dict[str, Any]) -> None:
        answer = app.get(f"/datastore/dump/{table['id']}", headers={"Authorization": table["partner"]})
        rows = list(csv.reader(io.StringIO(answer.body)))
        assert rows[0] == ["_id", *VISIBLE]
        assert len(rows) == 4

    @pytest.mark.parametrize(
        "query", ["fields=FIELD", "sort=FIELD", 'filters={"FIELD":"falcon"}', 'q={"FIELD":"a"}']
    )
    def test_dump_of_the_hidden_is_as_of_the_absent(
        self, app: CKANTestApp, table: dict[str, Any], query: str
    ) -> None:
        """The same status and text."""
        answers = []
        for column in ("secret", "nosuch"):
            answer = app.get(
                f"/datastore/dump/{table['id']}?{query.replace('FIELD', column)}",
                headers={"Authorization": table["partner"]},
            )
            answers.append((answer.status_code, answer.body.replace(column, "FIELD")))
        assert answers[0] == answers[1]
        assert answers[0][0] == 400

    @pytest.mark.parametrize("place", ["q", "full_text", "language"])
    def test_no_text_breaks_out_of_its_quotes(self, ask: Ask, table: dict[str, Any], place: str) -> None:
        """Stock pastes a filter's text into a search text that names its parameter."""
        stolen = f'||(select CAST(CAST(secret AS int) AS text) from public."{table["id"]}")||'  # noqa: S608
        texts = {"q": "mine", place: " :value_0"}
        filters = {"$or": [{"place": stolen}, {"code": "01"}]}
        with mock.patch.object(backend.log, "info") as complaint:
            status, body = ask("partner", "datastore_search", filters=filters, **texts)
        assert b"falcon" not in body
        if place == "language":
            assert status == 409  # there is no such language
        else:
            assert json.loads(body)["result"]["total"] == 0
            assert json.loads(body)["result"][place] == " :value_0"
            complaint.assert_not_called()

    def test_info(self, ask: Ask) -> None:
        """The dictionary names visible columns, and counts visible rows."""
        info = result(ask("partner", "datastore_info"))
        assert [field["id"] for field in info["fields"]] == VISIBLE
        assert info["fields"][0]["schema"]["native_type"] == "text"
        assert (info["meta"]["count"], info["meta"]["table_type"]) == (3, "VIEW")
        assert info["meta"]["aliases"] == []

    def test_each_way_asked_the_gate(self, ask: Ask, table: dict[str, Any]) -> None:
        asked.clear()
        ask("owner", "datastore_search")
        ask("owner", "datastore_info")
        assert asked == [(table["id"], "datastore_search"), (table["id"], "datastore_info")]


SUMS = {
    "ccphva_table_rows": {},
    "ccphva_table_summary": {},
    "ccphva_table_histogram": {"column": "amount"},
    "ccphva_table_aggregate": {"x": "place"},
    "ccphva_table_features": {},
}
"""What looks into tables, each with the least that it needs; this table has no geometry to show."""


class TestLooking:
    """Sums, histograms and pages know no more than the perimeter."""

    def test_rows_and_sums_are_those_of_the_perimeter(self, ask: Ask) -> None:
        """Three of four rows, three of four columns, and figures made of them alone."""
        rows = result(ask("partner", "ccphva_table_rows"))
        assert ([row["code"] for row in rows["records"]], rows["total"]) == (["01", "02", "03"], 3)
        assert [field["id"] for field in rows["fields"]] == ["_id", *VISIBLE]
        summary = result(ask("partner", "ccphva_table_summary"))
        assert set(summary["columns"]) == {"_id", *VISIBLE}
        assert (summary["total"], summary["columns"]["amount"]["max"]) == (3, 3)
        bins = result(ask("partner", "ccphva_table_histogram", column="amount"))["bins"]
        assert sum(each["count"] for each in bins) == 3
        sums = result(ask("partner", "ccphva_table_aggregate", x="code", y="amount"))["groups"]
        assert {each["x"]: each["y"] for each in sums} == {"01": 1, "02": 2, "03": 3}
        assert result(ask("owner", "ccphva_table_rows"))["total"] == 4

    @pytest.mark.parametrize("word", ["falcon", "heron", "cachée"])
    def test_words_of_what_is_hidden_find_nothing(self, ask: Ask, word: str) -> None:
        assert result(ask("partner", "ccphva_table_rows", search=word))["total"] == 0
        assert result(ask("partner", "ccphva_table_summary", search=word))["total"] == 0

    def test_a_cursor_of_a_hidden_row_tells_nothing(self, ask: Ask) -> None:
        """The place of a row that the reader does not see is a place like any other."""
        for place in (queries.place(None, 3), queries.place(None, 4)):
            assert result(ask("partner", "ccphva_table_rows", after=place))["records"] == []

    @pytest.mark.parametrize(
        ("action", "query"),
        [
            ("ccphva_table_rows", {"sort": "FIELD"}),
            ("ccphva_table_rows", {"fields": ["FIELD"]}),
            ("ccphva_table_rows", {"where": [["FIELD", "eq", "falcon"]]}),
            ("ccphva_table_rows", {"where": [["FIELD", "nosuch", "falcon"]]}),
            ("ccphva_table_summary", {"fields": ["FIELD"]}),
            ("ccphva_table_summary", {"where": [["FIELD", "filled"]]}),
            ("ccphva_table_histogram", {"column": "FIELD"}),
            ("ccphva_table_aggregate", {"x": "FIELD"}),
            ("ccphva_table_aggregate", {"x": "place", "y": "FIELD", "function": "max"}),
            ("ccphva_table_features", {"geometry": "FIELD"}),
        ],
        ids=json.dumps,
    )
    def test_hidden_is_as_absent(self, ask: Ask, action: str, query: dict[str, Any]) -> None:
        """A hidden column and one that does not exist give the same bytes."""
        answers = []
        for column in ("secret", "nosuch"):
            data = json.loads(json.dumps(query).replace("FIELD", column))
            status, body = ask("partner", action, **data)
            answers.append((status, body.replace(column.encode(), b"FIELD")))
        assert answers[0] == answers[1]
        assert answers[0][0] == 409
        assert b"SELECT" not in answers[0][1]

    @pytest.mark.parametrize(
        "query", ["column=secret&op=eq&value=falcon", "search=falcon", "column=amount&op=gte&value=5"]
    )
    def test_a_filtered_download_is_no_way_around(
        self, app: CKANTestApp, table: dict[str, Any], query: str
    ) -> None:
        """Parquet and CSV of the rows that match: none, or the answer of an absent column."""
        for form in ("csv", "parquet"):
            address = f"/datastore/dump/{table['id']}?format={form}&{query}"
            answer = app.get(address, headers={"Authorization": table["partner"]})
            if "secret" in query:
                other = app.get(
                    address.replace("secret", "nosuch"), headers={"Authorization": table["partner"]}
                )
                assert (answer.status_code, answer.data.replace(b"secret", b"nosuch")) == (400, other.data)
            else:
                assert not [
                    word
                    for word in (b"secret", b"falcon", b"heron", "cachée".encode())
                    if word in answer.data
                ]

    @pytest.mark.parametrize("path", ["", "/table", "/openapi.json", "/api"])
    def test_pages(self, app: CKANTestApp, table: dict[str, Any], path: str) -> None:
        """The page of the resource, the explorer alone, OpenAPI and its page name no hidden column."""
        for query in ("", "?view=chart", "?row=4", "?about=secret", "?view=time"):
            address = f"/dataset/tables/resource/{table['id']}{path}{query}"
            answer = app.get(address, headers={"Authorization": table["partner"]})
            shown = answer.body.replace("about=secret", "").replace("&#34;secret&#34;", "")
            assert answer.status_code == 200
            assert not [word for word in ("Secret label", "falcon", "heron", "Impasse") if word in shown]
        stranger = app.get(
            f"/dataset/tables/resource/{table['id']}{path}", headers={"Authorization": table["stranger"]}
        )
        assert (stranger.status_code == 200) == (path == "")
        assert "Rue de la Mine" not in stranger.body

    @pytest.mark.parametrize("action", SUMS)
    def test_each_way_asked_the_gate(self, ask: Ask, table: dict[str, Any], action: str) -> None:
        asked.clear()
        ask("owner", action, **SUMS[action])
        assert asked == [(table["id"], action)]

    @pytest.mark.parametrize("action", SUMS)
    def test_a_stranger_sees_an_unknown_table(self, ask: Ask, table: dict[str, Any], action: str) -> None:
        unknown = "00000000-0000-0000-0000-000000000000"
        status, body = ask("stranger", action, **SUMS[action])
        other = ask("stranger", action, **SUMS[action], resource_id=unknown)
        assert (status, body.replace(table["id"].encode(), unknown.encode())) == other
        assert status == 404


class TestStranger:
    """A reader for whom there is nothing gets the answer of a table that does not exist."""

    @pytest.mark.parametrize("action", ["datastore_search", "datastore_info"])
    def test_as_unknown(self, ask: Ask, table: dict[str, Any], action: str) -> None:
        unknown = "00000000-0000-0000-0000-000000000000"
        status, body = ask("stranger", action)
        other = ask("stranger", action, resource_id=unknown)
        assert (status, body.replace(table["id"].encode(), unknown.encode())) == other
        assert status == 404
        assert b"nobody may read" not in body

    def test_dump(self, app: CKANTestApp, table: dict[str, Any]) -> None:
        app.get(f"/datastore/dump/{table['id']}", headers={"Authorization": table["stranger"]}, status=404)


class TestOwner:
    """Without an opinion of the gate the table itself is read, as in stock."""

    def test_everything(self, ask: Ask) -> None:
        found = result(ask("owner", "datastore_search"))
        assert found["total"] == 4
        assert [field["id"] for field in found["fields"]] == ["_id", *VISIBLE, "secret"]
        info = result(ask("owner", "datastore_info"))
        assert (info["meta"]["count"], info["meta"]["table_type"]) == (4, "BASE TABLE")
        assert info["meta"]["aliases"] == [ALIAS]
        assert info["fields"][1]["schema"]["is_index"]

    def test_the_list_of_tables_is_for_administrators(self, ask: Ask) -> None:
        """`_table_metadata` names the tables of private datasets too."""
        for reader in ("", "owner", "partner"):
            assert ask(reader, "datastore_search", resource_id="_table_metadata")[0] == 403

    def test_ids_are_those_of_resources(self, table: dict[str, Any]) -> None:
        """Tables of PostGIS are no resources: stock offers to purge them."""
        ids = DatastoreBackend.get_active_backend().get_all_ids()
        assert table["id"] in ids
        assert "spatial_ref_sys" not in ids


def test_a_column_named_like_a_parameter_is_refused(table: dict[str, Any]) -> None:
    """It would be taken for one in each search."""
    for columns in ({"fields": [{"id": "a :b", "type": "text"}]}, {"records": [{":b": 1}]}):
        with pytest.raises(tk.ValidationError, match="colon"):
            call_action("datastore_create", resource_id=table["id"], force=True, **columns)


def test_no_portal_without_the_seam(app: CKANTestApp) -> None:
    """Where another backend registered last, every perimeter would be void: the portal does not start."""
    with (
        mock.patch.object(DatastoreBackend, "_active_backend", object()),
        pytest.raises(RuntimeError, match="must stand after datastore"),
    ):
        views.install(app.flask_app)


class TestClosed:
    """Data that is not open stands where the reading role does not come."""

    @pytest.fixture
    def closed(self, table: dict[str, Any]) -> Iterator[dict[str, Any]]:
        call_action("package_patch", id=table["dataset"], visibility="private")
        yield table
        call_action("package_patch", id=table["dataset"], visibility="open")
        assert storage.schema_of(table["id"], relations.BASE) == "public"

    def reading_role(self, statement: str) -> Any:
        backend: Any = DatastoreBackend.get_active_backend()
        with backend._get_read_engine().connect() as connection:
            return connection.execute(sa.text(statement)).scalar()

    def test_it_moves_with_its_aliases(self, closed: dict[str, Any]) -> None:
        assert storage.schema_of(closed["id"], relations.BASE) == "closed"
        for name in (closed["id"], ALIAS):
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied for schema closed"):
                self.reading_role(f'SELECT count(*) FROM closed."{name}"')  # noqa: S608
            with pytest.raises(sa.exc.ProgrammingError, match="does not exist"):
                self.reading_role(f'SELECT count(*) FROM "{name}"')  # noqa: S608

    def test_its_owner_reads_and_writes_as_before(self, ask: Ask, closed: dict[str, Any]) -> None:
        """Search, alias, dictionary, upsert, delete, count."""
        new = {"place": "Nouveau", "code": "99", "amount": 99, "secret": "wren"}
        call_action("datastore_upsert", resource_id=closed["id"], records=[new], force=True)
        found = result(ask("owner", "datastore_search", resource_id=ALIAS))
        assert found["total"] == 5
        assert result(ask("owner", "datastore_search", q="wren"))["total"] == 1
        assert result(ask("owner", "datastore_info"))["meta"]["count"] == 5
        call_action("datastore_delete", resource_id=closed["id"], filters={"code": "99"}, force=True)
        call_action(
            "datastore_upsert",
            resource_id=closed["id"],
            records=[ROWS[0]],
            force=True,
            calculate_record_count=True,
        )
        assert result(ask("owner", "datastore_search"))["total"] == 4
        assert result(ask("owner", "ccphva_table_rows"))["total"] == 4
        assert len(result(ask("owner", "ccphva_table_aggregate", x="code"))["groups"]) == 4

    @pytest.mark.parametrize("reader", ["", "stranger"])
    def test_nobody_else_reads(self, ask: Ask, closed: dict[str, Any], reader: str) -> None:
        for action, query in {"datastore_search": {}, "datastore_info": {}, **SUMS}.items():
            status, body = ask(reader, action, **query)
            assert status in {403, 404}
            assert b"Mine" not in body

    def test_a_private_dataset_gets_its_table_closed(self) -> None:
        """From the first row on."""
        dataset = call_action(
            "package_create",
            name="ferme",
            title="Fermé",
            owner_org=factories.Organization()["id"],
            visibility="private",
        )
        made = call_action(
            "datastore_create",
            resource={"package_id": dataset["id"], "name": "x"},
            fields=[{"id": "a", "type": "int"}],
            records=[{"a": 1}],
        )
        assert storage.schema_of(made["resource_id"], relations.BASE) == "closed"
        call_action("datastore_delete", resource_id=made["resource_id"], force=True)
        assert storage.schema_of(made["resource_id"], relations.BASE) is None

    def test_the_follower_sees_what_no_hook_does(self, table: dict[str, Any]) -> None:
        """A dataset made private behind CKAN's back: the follower of the change log moves its table."""
        for private, schema in ((True, "closed"), (False, "public")):
            model.Session.query(model.Package).filter_by(id=table["dataset"]).update({"private": private})
            model.repo.commit()
            placement.Placement().sweep()
            assert storage.schema_of(table["id"], relations.BASE) == schema
