"""The dataset form on one page: core's views, and what they do when two people save, or one saves twice.

scheming serves a form with `start_form_page` page by page with `package_patch`, which cannot empty a list and
checks one page at a time; here its pages are steps of one form. `docs/developer/forms.md` says more.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.views.dataset import CreateView, EditView
from ckanext.ccphva import config, form_texts
from flask import Blueprint, Response, request, send_file

__all__ = ["ccphva_forms"]

DATASET = "dataset"
SEEN = "ccphva_seen"
"""Form field: `metadata_modified` of the dataset when the form was opened."""
TWICE_SECONDS = 120

ccphva_forms = Blueprint("ccphva_forms", __name__)


class NewDataset(CreateView):
    """Core's; a form that is sent twice leads to the dataset that its first sending made."""

    def post(self, package_type: str) -> Response | str:
        name = None if request.form.get("pkg_name") else request.form.get("name")
        if name and self._just_made(name):
            return tk.redirect_to(f"{package_type}_resource.new", id=name)
        return super().post(package_type)

    def _just_made(self, name: str) -> bool:
        try:
            found = tk.get_action("package_show")({"user": tk.current_user.name}, {"id": name})
        except (tk.ObjectNotFound, tk.NotAuthorized):
            return False
        age = datetime.now(UTC).replace(tzinfo=None) - datetime.fromisoformat(found["metadata_created"])
        return (
            tk.current_user.is_authenticated
            and found.get("creator_user_id") == tk.current_user.id
            and found.get("title") == request.form.get("title_translated-fr")
            and age.total_seconds() < TWICE_SECONDS
        )


class EditDataset(EditView):
    """Core's, with a warning before it overwrites what somebody else saved meanwhile."""

    def post(self, package_type: str, id: str) -> Response | str:  # noqa: A002
        seen = request.form.get(SEEN)
        if seen:
            try:
                stored = tk.get_action("package_show")({"for_edit": True}, {"id": id})
            except (tk.ObjectNotFound, tk.NotAuthorized):
                return tk.abort(404, tk._("Dataset not found"))
            if stored["metadata_modified"] != seen:
                typed = form_texts.typed(request.form, _schema(package_type))
                conflict = {
                    SEEN: stored["metadata_modified"],
                    "ccphva_conflict": form_texts.differences(typed, stored, _schema(package_type)),
                }
                return self.get(package_type, id, {**typed, **conflict})
        return super().post(package_type, id)

    def get(
        self,
        package_type: str,
        id: str,  # noqa: A002
        data: dict[str, Any] | None = None,
        errors: dict[str, Any] | None = None,
        error_summary: dict[str, Any] | None = None,
    ) -> Response | str:
        if data:  # what was emptied must not come back from the store
            data = {**form_texts.emptied(_schema(package_type)), **data}
        return super().get(package_type, id, data, errors, error_summary)


def _schema(package_type: str) -> dict[str, Any]:
    return tk.get_action("scheming_dataset_schema_show")({}, {"type": package_type})


def moved_page(id: str, page: str) -> Response:  # noqa: A002, ARG001
    """Addresses of scheming's single pages lead to the whole form."""
    return tk.redirect_to(f"{DATASET}.edit", id=id)


ccphva_forms.add_url_rule(
    "/dataset/new", view_func=NewDataset.as_view("new"), defaults={"package_type": DATASET}
)
ccphva_forms.add_url_rule(
    "/dataset/edit/<id>", view_func=EditDataset.as_view("edit"), defaults={"package_type": DATASET}
)
ccphva_forms.add_url_rule("/dataset/new/<id>/<page>", view_func=moved_page)
ccphva_forms.add_url_rule("/dataset/edit/<id>/<page>", view_func=moved_page, endpoint="moved_edit_page")


@ccphva_forms.route("/territory/outlines.geojson")
def outlines() -> Response:
    """The territory's communes (RFC 7946), for maps that have no tile server."""
    path = config.territory_folder() / "communes.geojson"
    if not path.is_file():
        tk.abort(404, tk._("This territory has no outlines"))
    return send_file(path, mimetype="application/geo+json", max_age=3600)
