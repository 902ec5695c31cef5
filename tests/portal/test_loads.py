# ruff: noqa: S608
"""Files become tables: into a new table, in the place of the old one at once, or not at all."""

from __future__ import annotations

import io
import threading
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from catalogue_support import call_action, forget_tables, plugins_loaded  # noqa: F401
from ckan import model
from ckan.tests import factories
from ckanext.ccphva_datastore import relations, storage
from ckanext.ccphva_datastore.loading import storage as loads_storage
from loads_support import YARDSTICKS, load, loaded, make_dataset, reason, replace, rows, types

pytestmark = pytest.mark.usefixtures("plugins_loaded", "empty")


@pytest.fixture(scope="module")
def empty(plugins_loaded: None) -> None:  # noqa: F811
    model.repo.rebuild_db()
    forget_tables()


SIMPLE = b"code;nom;montant;jour\n01;Audun;1,5;31/12/2025\n54;Villerupt;;01/02/2026\n"


def test_a_file_becomes_a_table() -> None:
    """Codes keep their zeros, decimals their comma's meaning, French dates their day."""
    resource, done = loaded("a.csv", SIMPLE)
    assert done["state"] == "done", done
    assert types(done) == {"code": "text", "nom": "text", "montant": "numeric", "jour": "date"}
    assert rows(resource)[0] == {"_id": 1, "code": "01", "nom": "Audun", "montant": 1.5, "jour": "2025-12-31"}
    assert call_action("datastore_search", resource_id=resource["id"])["total"] == 2
    assert [row["nom"] for row in rows(resource, q="villerupt")] == ["Villerupt"]
    assert call_action("resource_show", id=resource["id"])["datastore_active"]


def writing() -> Any:
    return storage._engine(write=True).begin()


class TestSecondLoad:
    """A new file of a resource that has a table."""

    def test_the_table_is_replaced_whole(self) -> None:
        """Rows and columns are those of the new file, and the count with them."""
        resource, _ = loaded("a.csv", SIMPLE)
        replace(resource, "b.csv", b"code;nom;lieu\n09;Russange;X\n")
        done = load(resource)
        assert done["state"] == "done"
        assert rows(resource) == [{"_id": 1, "code": "09", "nom": "Russange", "lieu": "X"}]
        assert call_action("datastore_search", resource_id=resource["id"])["total"] == 1
        assert done["changes"] == {"added": ["lieu"], "gone": ["montant", "jour"], "changed": []}

    def test_an_unchanged_file_is_not_loaded_again(self) -> None:
        """The same bytes leave the table alone, whatever else of the resource changed."""
        resource, _ = loaded("a.csv", SIMPLE)
        call_action("datastore_delete", resource_id=resource["id"], filters={"code": "01"}, force=True)
        assert load(resource)["state"] == "done"
        assert len(rows(resource)) == 1
        assert load(resource, force=True)["state"] == "done"
        assert len(rows(resource)) == 2

    def test_a_refused_file_leaves_the_table(self) -> None:
        """The old rows stay, and the page says line, column, value and type."""
        resource, _ = loaded("a.csv", SIMPLE)
        replace(resource, "a.csv", SIMPLE + b"57;Thil;douze;01/01/2026\n")
        done = load(resource)
        assert done["state"] == "refused"
        assert reason(resource) == {
            "code": "cell",
            "values": {"line": "4", "column": "montant", "value": "douze", "type": "numeric"},
        }
        assert "douze" in done["reason"]
        assert "4" in done["reason"]
        assert len(rows(resource)) == 2

    def test_types_stay_those_that_clients_know(self) -> None:
        """A file whose numbers happen to be whole does not turn a numeric column into an integer one."""
        resource, _ = loaded("a.csv", SIMPLE)
        replace(resource, "a.csv", b"code;nom;montant;jour\n01;Audun;2;31/12/2025\n")
        assert types(load(resource))["montant"] == "numeric"

    def test_the_dictionary_stays(self) -> None:
        """Labels of columns that are still there outlive a load."""
        resource, _ = loaded("a.csv", SIMPLE)
        fields = [{"id": "code", "type": "text", "info": {"label": "Code INSEE"}}]
        call_action("datastore_create", resource_id=resource["id"], fields=fields, force=True)
        load(resource, force=True)
        info = {each["id"]: each for each in call_action("datastore_info", id=resource["id"])["fields"]}
        assert info["code"]["info"]["label"] == "Code INSEE"

    def test_an_alias_shows_the_new_table(self) -> None:
        """Old and new columns alike."""
        resource, _ = loaded("a.csv", SIMPLE)
        call_action("datastore_create", resource_id=resource["id"], aliases="communes-charge", force=True)
        replace(resource, "b.csv", b"code;nom;lieu\n09;Russange;X\n")
        load(resource)
        found = call_action("datastore_search", resource_id="communes-charge")
        assert found["records"] == [{"_id": 1, "code": "09", "nom": "Russange", "lieu": "X"}]


class TestPerimeters:
    """Views that give a part of a table."""

    def perimeter(self, resource: dict[str, Any], query: str) -> str:
        name = f"part-{resource['id']}"
        with writing() as connection:
            connection.execute(
                sa.text(f'CREATE VIEW perimeter."{name}" WITH (security_barrier=true) AS {query}')
            )
        return name

    def test_it_follows_the_new_table(self) -> None:
        """It is made again with its columns, its filter, its barrier and its grants, and shows new rows."""
        resource, _ = loaded("a.csv", SIMPLE)
        name = self.perimeter(resource, f"SELECT _id, code FROM \"{resource['id']}\" WHERE nom <> 'Thil'")
        replace(
            resource,
            "a.csv",
            "code;nom;montant;jour;secret\n02;Rédange;1;01/01/2026;x\n57;Thil;2;;\n".encode(),
        )
        assert load(resource)["closed"] == []
        with writing() as connection:
            found = connection.execute(sa.text(f'SELECT * FROM perimeter."{name}"')).mappings().all()
            options = connection.execute(
                sa.text("SELECT reloptions FROM pg_class WHERE relname = :name"), {"name": name}
            ).scalar()
            readable = connection.execute(
                sa.text("SELECT has_table_privilege(:reader, :view, 'SELECT')"),
                {"reader": storage._engine().url.username, "view": f'perimeter."{name}"'},
            ).scalar()
        assert [dict(row) for row in found] == [{"_id": 1, "code": "02"}]
        assert options == ["security_barrier=true"]
        assert readable

    def test_it_closes_when_a_column_of_its_is_gone(self) -> None:
        """Never widened: it is no more, who had it finds nothing, and the agent is told."""
        resource, _ = loaded("a.csv", SIMPLE)
        name = self.perimeter(resource, f'SELECT _id, code FROM "{resource["id"]}" WHERE montant < 5')
        replace(resource, "b.csv", b"code;nom\n09;Russange\n")
        done = load(resource)
        assert (done["state"], done["closed"]) == ("done", [name])
        with writing() as connection:
            assert (
                connection.execute(sa.text("SELECT to_regclass(:n)"), {"n": f'perimeter."{name}"'}).scalar()
                is None
            )

    def test_it_closes_when_a_type_no_longer_fits(self) -> None:
        """A filter on numbers says nothing about texts."""
        resource, _ = loaded("a.csv", SIMPLE)
        name = self.perimeter(resource, f'SELECT _id, code FROM "{resource["id"]}" WHERE montant < 5')
        call_action("ccphva_load_submit", id=resource["id"], types={"montant": "text"})
        done = load(resource)
        assert done["closed"] == [name]
        assert done["changes"]["changed"] == [{"name": "montant", "before": "numeric", "after": "text"}]


class TestPlace:
    """Where the table stands."""

    @pytest.mark.parametrize(
        ("visibility", "schema"), [("open", "public"), ("restricted", "closed"), ("private", "closed")]
    )
    def test_it_stands_where_its_dataset_wants(self, visibility: str, schema: str) -> None:
        """From the first row on, and after each load; nothing of it is left where the reading role looks."""
        dataset = make_dataset(visibility=visibility, license_id="etalab-2.0")
        resource, done = loaded("a.csv", SIMPLE, dataset=dataset)
        assert done["state"] == "done"
        for _ in range(2):
            assert storage.schema_of(resource["id"], relations.BASE) == schema
            load(resource, force=True)
        with writing() as connection:
            left = connection.execute(
                sa.text("SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                        "WHERE c.relname LIKE :name AND c.relkind IN ('r', 'v')"), {"name": f"%{resource['id']}%"}  # noqa: E501
            ).scalars().all()  # fmt: skip
        assert left == [schema]

    @pytest.mark.parametrize("declared", ["possible", "yes"])
    def test_personal_data_enter_no_table(self, declared: str) -> None:
        """What the dataset declares decides, before a byte is read."""
        dataset = make_dataset(visibility="private", personal_data=declared)
        resource, done = loaded("a.csv", SIMPLE, dataset=dataset)
        assert done["state"] == "refused"
        assert reason(resource)["code"] == "personal"
        assert storage.schema_of(resource["id"], relations.BASE) is None


class TestReaders:
    """Readers see the old table or the new one."""

    def test_nobody_sees_an_empty_or_half_table(self) -> None:
        """Searches while six loads change places: 2 or 3 rows, never another number, never an error."""
        resource, _ = loaded("a.csv", SIMPLE)
        stop, seen, wrong = threading.Event(), set(), []
        engine = storage._engine()

        def read() -> None:
            while not stop.is_set():
                try:
                    with engine.connect() as connection:
                        count = connection.execute(
                            sa.text(f'SELECT count(*) FROM "{resource["id"]}"')
                        ).scalar()
                    seen.add(count)
                except sa.exc.SQLAlchemyError as error:
                    wrong.append(str(error))

        threads = [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        for number in range(6):
            content = SIMPLE if number % 2 else SIMPLE + b"57;Thil;1;\n"
            replace(resource, "a.csv", content)
            assert load(resource)["state"] == "done"
        stop.set()
        for thread in threads:
            thread.join()
        assert seen == {2, 3}
        assert wrong == []

    def test_words_are_found_before_the_index_of_words_is_made(self) -> None:
        """Between the change of places and the last batch of words a search reads a view of them."""
        resource, _ = loaded("a.csv", SIMPLE)
        with loads_storage.connected() as connection:
            columns = [loads_storage.Column("nom", "text", {}), loads_storage.Column("n", "int8", {})]
            loads_storage.fill(connection, resource["id"], columns, io.BytesIO(b"Hussigny,7\nThil,8\n"))
            loads_storage.swap(connection, resource["id"], columns, 2, "public")
            assert [row["nom"] for row in rows(resource, q="hussigny")] == ["Hussigny"]
            assert call_action("datastore_search", resource_id=resource["id"], q="thil")["total"] == 1
            loads_storage.fill_words(connection, resource["id"], columns, lambda: None)
        assert [row["nom"] for row in rows(resource, q="hussigny")] == ["Hussigny"]

    def test_words_are_those_of_cores_trigger(self) -> None:
        """A row that is loaded and one that is written by the API are found by the same words."""
        content = b"texte;nombre;vrai;jour;moment\nL'\xc3\xa9cole;12.5;oui;2026-01-02;2026-01-02 10:00:00\n"
        resource, done = loaded("a.csv", content)
        assert types(done) == {
            "texte": "text",
            "nombre": "numeric",
            "vrai": "bool",
            "jour": "date",
            "moment": "timestamp",
        }
        record = {k: v for k, v in rows(resource)[0].items() if k != "_id"}
        call_action(
            "datastore_upsert", resource_id=resource["id"], method="insert", records=[record], force=True
        )
        with writing() as connection:
            found = connection.execute(
                sa.text(f'SELECT DISTINCT CAST(_full_text AS text) FROM "{resource["id"]}"')
            )
            assert len(found.all()) == 1


class TestChoice:
    """What an agent chooses is kept."""

    def test_types_are_kept_and_used_again(self) -> None:
        """A number that is a code becomes a text, at this load and at the next."""
        resource, _ = loaded("a.csv", b"bureau,voix\n1,10\n2,20\n")
        call_action("ccphva_load_submit", id=resource["id"], types={"bureau": "text"})
        assert types(load(resource)) == {"bureau": "text", "voix": "int"}
        replace(resource, "a.csv", b"bureau,voix\n3,30\n")
        assert types(load(resource)) == {"bureau": "text", "voix": "int"}
        assert rows(resource) == [{"_id": 1, "bureau": "3", "voix": 30}]

    def test_a_sheet_can_be_chosen(self) -> None:
        """The largest one is the portal's choice, any other the agent's."""
        content = (YARDSTICKS / "files" / "csvdetective.xlsx").read_bytes()
        resource, done = loaded("a.xlsx", content)
        assert (done["layer"], done["others"]) == ("REI_1987", ["Notice"])
        call_action("ccphva_load_submit", id=resource["id"], layer="Notice")
        done = load(resource)
        assert [each["name"] for each in done["columns"]] == ["NOM", "LABEL"]
        assert len(rows(resource)) == 6

    def test_a_reference_system_can_be_said(self) -> None:
        """A file that does not name its own is refused until somebody does."""
        resource, done = loaded("a.jml", (YARDSTICKS / "geo" / "mercator-quartiers-esch.jml").read_bytes())
        assert (done["state"], reason(resource)["code"]) == ("refused", "crs")
        call_action("ccphva_load_submit", id=resource["id"], crs="EPSG:3857")
        done = load(resource)
        assert (done["state"], done["crs"], done["rows"]) == ("done", "EPSG:3857", 21)

    def test_an_unknown_type_is_refused(self) -> None:
        """With the column and the type."""
        resource, _ = loaded("a.csv", SIMPLE)
        with pytest.raises(tk.ValidationError, match="monnaie"):
            call_action("ccphva_load_submit", id=resource["id"], types={"montant": "monnaie"})


class TestRights:
    """Who may load, see first rows, and know of versions."""

    @pytest.mark.parametrize("action", ["ccphva_load_show", "ccphva_load_submit"])
    def test_only_who_edits(self, action: str) -> None:
        """A stranger and an anonymous reader are refused; first rows are data."""
        resource, _ = loaded("a.csv", SIMPLE)
        for user in ("", factories.User()["name"]):
            with pytest.raises(tk.NotAuthorized):
                tk.get_action(action)({"user": user, "ignore_auth": False}, {"id": resource["id"]})

    @pytest.mark.parametrize(
        ("visibility", "allowed"), [("open", True), ("restricted", False), ("private", False)]
    )
    def test_versions_follow_the_data(self, visibility: str, allowed: bool) -> None:
        """Open data's versions are everyone's, others' nobody's but who has the data."""
        dataset = make_dataset(visibility=visibility, license_id="etalab-2.0")
        resource, _ = loaded("a.csv", SIMPLE, dataset=dataset)
        ask = {"user": "", "ignore_auth": False}
        if allowed:
            assert tk.get_action("ccphva_version_list")(ask, {"id": resource["id"]})[0]["version"] == 1
        else:
            with pytest.raises(tk.NotAuthorized):
                tk.get_action("ccphva_version_list")(ask, {"id": resource["id"]})
