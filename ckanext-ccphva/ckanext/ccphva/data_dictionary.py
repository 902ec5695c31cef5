"""The DataStore's data dictionary in four languages (CKAN's IDataDictionaryForm).

A column's `info` holds `label_translated` and `notes_translated`, `{language: text}`; core's `label` and
`notes` are the French text, so that clients of core read on. `docs/developer/forms.md` has the rule.
"""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context, FlattenDataDict, FlattenErrorDict, FlattenKey, Schema
from ckanext.ccphva import languages, limits

FIELDS = ("label", "notes")


def extend(schema: Schema) -> Schema:
    """Check the texts of each column (`update_datastore_create_schema`)."""
    columns: Any = schema["fields"]
    columns["info"] = [*columns["info"], check]
    return schema


def check(key: FlattenKey, data: FlattenDataDict, errors: FlattenErrorDict, _context: Context) -> None:
    """One dict of languages for label and notes, whatever form the client chose; the core text follows."""
    info = data.get(key)
    if not isinstance(info, dict):
        return
    for name in FIELDS:
        given = _given(info, name)
        if given is None:
            continue
        texts = languages.parse(given)
        if texts is None:
            errors[key].append(tk._("expecting texts by language, such as %s") % '{"fr": "…", "de": "…"}')
            continue
        found, unknown = languages.split_known(texts)
        if unknown:
            errors[key].append(
                tk._("unknown language: %s; expected one of %s")
                % (", ".join(unknown), ", ".join(languages.LANGUAGES))
            )
        for language, text in found.items():
            if not isinstance(text, str):
                errors[key].append(f"{language}: " + tk._("expecting a text"))
            elif len(text) > limits.LONGEST_VALUE:
                errors[key].append(
                    f"{language}: " + tk._("the text is longer than %d characters") % limits.LONGEST_VALUE
                )
        info[f"{name}_translated"], info[name] = found, languages.best(found)


def _given(info: dict[str, Any], name: str) -> Any:
    """Form fields (`label_translated-fr`) before the dict; the core text alone is the French one."""
    field = f"{name}_translated"
    parts = {
        key.removeprefix(f"{field}-"): info.pop(key) for key in list(info) if key.startswith(f"{field}-")
    }
    if parts:
        return parts
    if field in info:
        return info[field]
    return {languages.MAIN: info[name]} if info.get(name) else None
