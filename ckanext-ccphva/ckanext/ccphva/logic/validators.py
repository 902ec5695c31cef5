"""Validators that `schemas/*.yaml` name.

Those that begin with `fluent` are multilingual: ckanext-dcat knows such fields by that word and reads and
writes one literal a language. The two `…_first` ones run before all others (scheming's `before_validators`):
they bring the several forms in which clients send a thing into one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckanext.ccphva import (
    bounds,
    elsewhere,
    fees,
    geometry,
    identifiers,
    languages,
    limits,
    multilingual,
    reviews,
    rights,
    visibility,
    workflow,
)
from ckanext.scheming.validation import scheming_validator

Validator = Callable[..., Any]
Flat = dict[tuple[Any, ...], Any]

KEYWORDS, PARENT = "ccphva_keywords", "ccphva_parent"
WEB = {"http", "https", "ftp", "ftps", "sftp", "mailto", "mqtt", "mqtts", "ws", "wss", "urn", "doi"}
_DURATION = re.compile(r"-?P(?=\d|T\d)(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_SCHEME = re.compile(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):")


@scheming_validator
def ccphva_texts_first(_field: Any, schema: Mapping[str, Any]) -> Validator:
    """One dict of languages for each multilingual field, whatever form the client chose."""

    def validator(_key: Any, data: Flat, errors: Flat, context: dict[str, Any]) -> None:
        bounds.check(data, schema, errors)
        multilingual.gather(data, schema, context)

    return validator


def ccphva_visibility_first(_key: Any, data: Flat, errors: Flat, context: dict[str, Any]) -> None:
    """Core `private` and `access_rights` from `visibility` and `workflow`, and the reverse for others."""
    names = ("visibility", "private", "access_rights", "personal_data", "workflow")
    given = {name: data.get((name,)) for name in names if data.get((name,)) is not tk.missing}
    stored = _stored_state(data, context)
    wished = dict(given)
    if stored and not workflow.is_published(stored) and visibility.is_true(given.get("private")):
        del wished["private"]  # it comes from `workflow`, and says nothing of the author's wish
    decision = visibility.decide(wished, stored)
    progress = workflow.decide(
        given,
        stored,
        public=not decision.private,
        may_publish=reviews.may_publish(context, _owners(data, context)),
        move=context.get(reviews.MOVE),
    )
    for field, fault in decision.faults.items():
        errors[(field,)].append(tk._(fault))
    if progress.fault:
        errors[("workflow",)].append(tk._(progress.fault))
    data[("visibility",)] = decision.visibility
    data[("workflow",)] = progress.state
    data[("private",)] = decision.private or progress.state != workflow.PUBLISHED
    data[("access_rights",)] = decision.access_rights
    data[("personal_data",)] = decision.personal_data
    package = multilingual.stored_thing(data, context)
    reviews.note(
        package.id if package is not None else None,
        workflow.state_of(stored) if stored else None,
        progress.state,
    )


def ccphva_rights_first(_key: Any, data: Flat, errors: Flat, context: dict[str, Any]) -> None:
    """What the law has against the licence and the fee of a dataset and its resources (`fees.py`)."""
    rights.gather(data)
    rights.check(data, errors, multilingual.stored_thing(data, context))


def ccphva_licence_first(_key: Any, data: Flat, errors: Flat, context: dict[str, Any]) -> None:
    """What the law has against the licence of a data service or series (`fees.py`)."""
    rights.check(data, errors, multilingual.stored_thing(data, context), fees.check_licence)


def ccphva_from_elsewhere(key: Any, data: Flat, errors: Flat, context: dict[str, Any]) -> None:
    """The URI of a dataset that another catalogue describes: only a harvest gives or changes it."""
    package = multilingual.stored_thing(data, context)
    if not elsewhere.may_be(data[key], package.extras if package is not None else None):
        errors[key].append(tk._("only a harvest may say that a dataset is described in another catalogue"))


def ccphva_fee(key: Any, data: Flat, errors: Flat, _context: Any) -> None:
    """A fee as it is stored: one object as JSON. `ccphva_rights_first` has looked at it."""
    value = data.get(key)
    if value is None or value is tk.missing:
        data.pop(key, None)
        raise tk.StopOnError
    if not errors[key]:
        data[key] = json.dumps(value, ensure_ascii=False)


def ccphva_fee_output(value: Any) -> Any:
    """A fee as an object again."""
    return rights.stored(value)


def _stored_state(data: Flat, context: dict[str, Any]) -> dict[str, Any] | None:
    package = multilingual.stored_thing(data, context)
    if package is None:
        return None
    kept = {name: package.extras.get(name) for name in ("visibility", "personal_data", "workflow")}
    public = package.state == "active" and not package.private
    return {
        **kept,
        "private": workflow.stored_private({**kept, "private": package.private}),
        "public": public,
    }


def _owners(data: Flat, context: dict[str, Any]) -> list[str]:
    """The organisations that a write concerns: where the dataset is, and where it goes."""
    package = multilingual.stored_thing(data, context)
    owners = [package.owner_org if package is not None else None, data.get(("owner_org",))]
    return list(dict.fromkeys(owner for owner in owners if owner and owner is not tk.missing))


def ccphva_tidy(_key: Any, data: Flat, _errors: Flat, context: dict[str, Any]) -> None:
    """Last of all: tags follow the keywords, and what a repeating item has beyond its subfields is dropped.

    scheming would store such a rest as `__extras`.
    """
    if KEYWORDS in context:
        multilingual.replace_tags(data, context[KEYWORDS])
    for key in [key for key in data if len(key) == 3 and key[2] == "__extras" and key[0] != "resources"]:
        del data[key]


@scheming_validator
def fluent_text(field: Mapping[str, Any], _schema: Any) -> Validator:
    """Texts by language, checked and stored as JSON; CKAN's own field of one language follows them."""

    def validator(key: Any, data: Flat, errors: Flat, _context: Any) -> None:
        found = _known(key, data, errors, field)
        for language, text in found.items():
            if fault := _text_fault(text, field):
                errors[key].append(f"{language}: {fault}")
        if not errors[key]:
            _set_core(key, data, languages.best(found))
        _store(key, data, errors, found)

    return validator


@scheming_validator
def fluent_keywords(field: Mapping[str, Any], _schema: Any) -> Validator:
    """Lists of keywords by language; the main language's become CKAN's tags where CKAN allows them."""

    def validator(key: Any, data: Flat, errors: Flat, context: dict[str, Any]) -> None:
        found = _known(key, data, errors, field)
        for language, words in found.items():
            if isinstance(words, str):
                words = words.split(",")
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                errors[key].append(f"{language}: " + tk._("expecting list of strings"))
                continue
            found[language] = list(dict.fromkeys(word.strip() for word in words if word.strip()))
            if len(found[language]) > limits.MOST_KEYWORDS:
                errors[key].append(f"{language}: " + tk._("more than %d keywords") % limits.MOST_KEYWORDS)
            if any(len(word) > limits.LONGEST_KEYWORD for word in found[language]):
                errors[key].append(
                    f"{language}: " + tk._("a keyword is longer than %d characters") % limits.LONGEST_KEYWORD
                )
            if any(languages.markup(word) for word in found[language]):
                errors[key].append(f"{language}: " + tk._("HTML is not allowed here"))
        if not errors[key]:
            context[KEYWORDS] = found
        _store(key, data, errors, found)

    return validator


def fluent_output(value: Any) -> Any:
    """Texts by language as a dict again; what was stored before the field knew languages is French."""
    texts = languages.parse(value)
    plain = isinstance(value, str) and value.strip() and texts is None
    return {languages.MAIN: value} if plain else texts or {}


def _known(key: Any, data: Flat, errors: Flat, field: Mapping[str, Any]) -> dict[str, Any]:
    value = data.get(key)
    if value in (None, tk.missing, ""):
        given: dict[str, Any] | None = {}
    else:
        given = languages.parse(value)
    if given is None:
        errors[key].append(tk._("expecting texts by language, such as %s") % '{"fr": "…", "de": "…"}')
        raise tk.StopOnError
    found, unknown = languages.split_known(given)
    # What is described elsewhere may lack French, and may have languages that the portal does not show.
    elsewhere = _described_elsewhere(data)
    if unknown and not elsewhere:
        errors[key].append(
            tk._("unknown language: %s; expected one of %s")
            % (", ".join(unknown), ", ".join(languages.LANGUAGES))
        )
    if field.get("required") and languages.MAIN not in found and not (elsewhere and found):
        errors[key].append(tk._("the French text is missing"))
    if errors[key]:
        raise tk.StopOnError
    return found


def _text_fault(text: Any, field: Mapping[str, Any]) -> str | None:
    if not isinstance(text, str):
        return tk._("expecting a text")
    most = int(field.get("max_length", limits.LONGEST_VALUE))
    if len(text) > most:
        return tk._("the text is longer than %d characters") % most
    if found := languages.markup(text, languages.FORMATTING if field.get("formatted") else ()):
        return tk._("HTML is not allowed here") + f": {', '.join(found)}"
    return None


def _set_core(key: tuple[Any, ...], data: Flat, text: str) -> None:
    core = multilingual.core_name(key[-1])
    if core:
        data[(*key[:-1], core)] = text


def _store(key: Any, data: Flat, errors: Flat, found: dict[str, Any]) -> None:
    if errors[key] or not found:
        data.pop(key, None)
        raise tk.StopOnError
    data[key] = json.dumps(found, ensure_ascii=False)


def ccphva_siren(value: str) -> str:
    """Nine digits whose check digit is right."""
    found = identifiers.siren(str(value))
    if found is None:
        raise tk.Invalid(tk._("not a SIREN: nine digits with a right check digit are expected"))
    return found


def ccphva_insee(value: str) -> str:
    """Code of a commune by INSEE."""
    found = identifiers.insee(str(value))
    if found is None:
        raise tk.Invalid(tk._("not an INSEE code of a commune: five characters such as 54580 are expected"))
    return found


def ccphva_geometry(value: Any) -> str:
    """A GeoJSON geometry in WGS 84, kept as text."""
    try:
        geometry.read(value)
    except ValueError as fault:
        raise tk.Invalid(tk._(str(fault))) from None
    return value if isinstance(value, str) else json.dumps(value)


def ccphva_link(value: str) -> str:
    """An address that a page may link to: a relative one, or one of a scheme that runs no code."""
    scheme = _SCHEME.match(str(value))
    if scheme and scheme[1].lower() not in WEB:
        raise tk.Invalid(tk._("addresses of this kind cannot be linked: %s") % scheme[1])
    return value


def ccphva_required_here(key: Any, data: Flat, errors: Flat, _context: Any) -> None:
    """Something must be there, but of what is described elsewhere."""
    given = data.get(key)
    values = given if isinstance(given, list) else [given]
    if any(value not in (None, "", "[]", tk.missing) for value in values):
        return
    if not _described_elsewhere(data):
        errors[key].append(tk._("Missing value"))
        raise tk.StopOnError


def ccphva_duration(key: Any, data: Flat, errors: Flat, _context: Any) -> None:
    """A duration of XML Schema (xsd:duration, part 2 §3.3.6); what is described elsewhere keeps its own."""
    if not _DURATION.fullmatch(str(data[key])) and not _described_elsewhere(data):
        errors[key].append(tk._("not a duration: PT15M (15 minutes), P1D (a day) or P1Y are expected"))
        raise tk.StopOnError


def ccphva_datasets(key: Any, data: Flat, errors: Flat, context: dict[str, Any]) -> None:
    """URIs as they are; names and ids of datasets here become what stays when a name changes."""
    values: list[str] = json.loads(data[key])
    found = [value if _SCHEME.match(value) else _dataset_key(value, context) for value in values]
    unknown = [value for value, known in zip(values, found, strict=True) if known is None]
    if unknown and not _described_elsewhere(data):
        errors[key].append(tk._("there is no dataset of this name: %s") % ", ".join(unknown))
        raise tk.StopOnError
    data[key] = json.dumps([known or value for value, known in zip(values, found, strict=True)])


def _dataset_key(name: str, context: dict[str, Any]) -> str | None:
    """URI of a dataset that is described elsewhere, id of another one; None for what the user may not see."""
    package = model.Package.get(name)
    if package is None or package.state == "deleted":
        return None
    try:
        tk.check_access("package_show", {"user": str(context.get("user") or "")}, {"id": package.id})
    except tk.NotAuthorized:
        return None
    return package.extras.get("uri") or package.id


def _described_elsewhere(data: Flat) -> bool:
    return data.get(("uri",)) not in (None, "", tk.missing)


def ccphva_kept_texts(value: Any) -> dict[str, str]:
    """Texts by language of a part of a dataset, as a dict or its JSON."""
    found, _ = languages.split_known(languages.parse(value) or {})
    if not found or not all(isinstance(text, str) and not languages.markup(text) for text in found.values()):
        raise tk.Invalid(tk._("expecting texts by language, such as %s") % '{"fr": "…", "de": "…"}')
    return found


def ccphva_parent(key: Any, data: Flat, errors: Flat, context: dict[str, Any]) -> None:
    """The organisation above this one, by name or id; `ccphva_hierarchy_last` does the rest."""
    given = data.get(key)
    if given is tk.missing or given is None:
        data.pop(key, None)
        raise tk.StopOnError
    context[PARENT] = ""
    if not given:
        data.pop(key)
        raise tk.StopOnError
    parent = model.Group.get(given)
    if parent is None or not parent.is_organization or parent.state != "active":
        errors[key].append(tk._("Organization was not found."))
        raise tk.StopOnError
    group = context.get("group")
    above = {parent.id, *(other.id for other in parent.get_parent_group_hierarchy(parent.type))}
    if group is not None and group.id in above:
        errors[key].append(tk._("an organisation cannot stand above itself"))
        raise tk.StopOnError
    data[key] = context[PARENT] = parent.name


def ccphva_hierarchy_last(_key: Any, data: Flat, _errors: Flat, context: dict[str, Any]) -> None:
    """CKAN's groups of an organisation, which are its hierarchy, from the parent that was given."""
    if PARENT not in context:
        return
    for key in [key for key in data if key[0] == "groups"]:
        del data[key]
    data[("groups",)] = [{"name": context[PARENT], "capacity": "public"}] if context[PARENT] else []
