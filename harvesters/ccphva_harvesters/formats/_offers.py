"""Reader of ODRL offers with an amount to pay: the fee of a distribution (ODRL Information Model 2.2).

What it reads is what the portal's own RDF says of a fee. Private to the RDF formats. Imports only ``model``,
``rdf``, ``_reader`` and ``_terms``.
"""

from __future__ import annotations

from typing import Any

from ccphva_harvesters.model import Fields
from ccphva_harvesters.rdf import Term

from . import _terms as t
from ._reader import Reader, compact

CURRENCY = "http://publications.europa.eu/resource/authority/currency/"
TEXTS = {
    "main_activity": t.DCT + "description",
    "deliberation_reference": t.DCT + "identifier",
    "deliberation_date": t.DCT + "issued",
    "start": t.SCHEMA + "validFrom",
    "review_date": t.SCHEMA + "validThrough",
    "basis_url": t.DCT + "source",
}


def fee(r: Reader, distribution: Term) -> Fields | None:
    """The first offer that asks for money, as ``fee`` of a resource."""
    for offer in r.described(distribution, (t.ODRL + "hasPolicy",)):
        lines = [_line(r, each) for each in r.described(offer, (t.ODRL + "permission",))]
        tariff = sorted((line for line in lines if line), key=lambda line: sorted(line.items()))
        if tariff:
            return compact({**_stated(r, offer), "tariff": tariff})
    return None


def _stated(r: Reader, offer: Term) -> Fields:
    r.ref(offer, (t.ODRL + "uid",))
    found: Fields = {name: r.ref(offer, (predicate,)) for name, predicate in TEXTS.items()}
    for assigner in r.described(offer, (t.ODRL + "assigner",)):
        found["body"] = r.ref(assigner, (t.FOAF + "name",))
    return {**found, **_properties(r, offer)}


def _line(r: Reader, permission: Term) -> dict[str, Any] | None:
    """A permitted use and the amount that is its duty."""
    for predicate in ("target", "action"):
        r.described(permission, (t.ODRL + predicate,))
    reuse = r.ref(permission, (t.DCT + "description",))
    for duty in r.described(permission, (t.ODRL + "duty",)):
        for action in r.described(duty, (t.ODRL + "action",)):
            if r.ref(action, (t.RDF + "value",)) != t.ODRL + "compensate":
                continue
            for amount in r.described(action, (t.ODRL + "refinement",)):
                for predicate in ("leftOperand", "operator"):
                    r.described(amount, (t.ODRL + predicate,))
                unit = r.ref(amount, (t.ODRL + "unit",)) or ""
                return compact(
                    {
                        "amount": r.ref(amount, (t.ODRL + "rightOperand",)),
                        "currency": unit.removeprefix(CURRENCY),
                        "unit": r.ref(amount, (t.SCHEMA + "unitText",)),
                        "reuse": reuse,
                        **_properties(r, amount),
                    }
                )
    return None


def _properties(r: Reader, node: Term) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in r.described(node, (t.SCHEMA + "additionalProperty",)):
        name, value = r.ref(item, (t.SCHEMA + "propertyID",)), r.ref(item, (t.SCHEMA + "value",))
        if name and value:
            found[name] = value
    return found
