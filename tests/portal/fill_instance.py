"""Fills the portal whose ini is named with something of everything that a backup must bring back."""

from __future__ import annotations

import io
import json
import sys

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app
from werkzeug.datastructures import FileStorage


def main() -> None:
    application = make_app(CKANConfigLoader(sys.argv[1]).get_config())
    with application._wsgi_app.test_request_context():
        user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]

        def do(action: str, **data: object) -> dict:
            return tk.get_action(action)({"user": user, "ignore_auth": True, "model": model}, data)

        do("user_create", name="martine", email="martine@example.org", password="le-mot-de-passe-de-martine")
        for name, title in (("communaute", "Communauté de l’exemple"), ("commune", "Commune é ö ü")):
            do("organization_create", name=name, title=title)
        do("organization_member_create", id="commune", username="martine", role="editor")
        token = do("api_token_create", user="martine", name="essai")["token"]
        do("package_create", name="ouvert", title="Données ouvertes 😀", notes="Déchets", owner_org="commune",
           tags=[{"name": "eau"}], private=False)  # fmt: skip
        do(
            "package_create",
            name="prive",
            title="Privé",
            notes="Réservé",
            owner_org="communaute",
            private=True,
        )
        do("package_create", name="efface", title="Effacé", notes="Effacé", owner_org="communaute")
        do("package_delete", id="efface")
        upload = FileStorage(
            io.BytesIO(b"nom;habitants\nA;1\n" * 5000), "communes.csv", content_type="text/csv"
        )
        do(
            "resource_create",
            package_id="ouvert",
            name="Communes",
            format="CSV",
            url="communes.csv",
            upload=upload,
        )
        do(
            "datastore_create",
            resource={"package_id": "ouvert", "name": "Table"},
            fields=[
                {"id": "commune", "type": "text"},
                {"id": "habitants", "type": "int"},
                {"id": "le", "type": "timestamp"},
            ],
            records=[
                {"commune": f"Commune n° {n} é", "habitants": n, "le": "2026-01-01T00:00:00"}
                for n in range(500)
            ],
            aliases=["les_communes"],
        )
        do(
            "config_option_update",
            **{"ckan.site_title": "Titre changé à la main", "ckan.site_about": "À propos"},
        )
        model.Session.commit()
    print(json.dumps({"token": token}))


if __name__ == "__main__":
    main()
