"""Profile `ccphva_rights` of ckanext-dcat: licence and fee of each distribution, written and read back.

Standards: DCAT 3, section 9 (`dct:license`, `dct:rights`, `odrl:hasPolicy`); ODRL Information Model 2.2
(Offer, duty `compensate`, `payAmount`); ADMS licence types. What ODRL has no word for
is a schema:PropertyValue.
"""

from __future__ import annotations

from typing import Any

from ckanext.ccphva import fees, licences
from ckanext.ccphva.rdf.licences import ADMS_TYPE
from ckanext.ccphva.rdf.writer import Writer
from ckanext.dcat.profiles import CleanedURIRef, RDFProfile
from ckanext.dcat.utils import catalog_uri, resource_uri
from rdflib import DCTERMS, RDF, XSD, BNode, Literal, Namespace, URIRef
from rdflib.term import Node

SERVICE = "data_service"
DCAT = Namespace("http://www.w3.org/ns/dcat#")
FOAF = Namespace("http://xmlns.com/foaf/0.1/")
ODRL = Namespace("http://www.w3.org/ns/odrl/2/")
SCHEMA = Namespace("http://schema.org/")
CURRENCY = "http://publications.europa.eu/resource/authority/currency/"
ROYALTIES = URIRef(ADMS_TYPE + "RoyaltiesRequired")
ROYALTIES_LABEL = {"fr": "Redevance", "en": "Royalties required"}
PAID = {
    "fr": "Réutilisation soumise à redevance",
    "de": "Weiterverwendung gegen Gebühr",
    "en": "Reuse against a fee",
    "lb": "Weiderbenotzung géint eng Tax",
}
PROPERTIES = ("ground", "cost_cover_percent", "three_year_costs")
DATES = {"deliberation_date": DCTERMS.issued, "start": SCHEMA.validFrom, "review_date": SCHEMA.validThrough}
TEXTS = {"main_activity": DCTERMS.description, "deliberation_reference": DCTERMS.identifier}


def _licence_of(dataset: dict[str, Any], resource: dict[str, Any], base: str) -> str | None:
    """The portal's licence of a resource: its own, that which its address names, else the dataset's."""
    if not resource.get("license_id") and resource.get("license"):
        return licences.of_uri(str(resource["license"]), base)
    return fees.licence_of(dataset, resource)


class RightsProfile(RDFProfile):
    """Licences under their own URIs, and an ODRL offer where a fee is asked."""

    def graph_from_dataset(
        self,
        dataset_dict: dict[str, Any],
        dataset_ref: URIRef,
    ) -> None:
        for name, space in (("odrl", ODRL), ("schema", SCHEMA)):
            self.g.bind(name, space)
        known, base = licences.by_id(), catalog_uri()
        if dataset_dict.get("type") == SERVICE:
            self._of_service(dataset_dict, dataset_ref, known, base)
        for resource, distribution in self._written(dataset_dict):
            licence = known.get(_licence_of(dataset_dict, resource, base) or "")
            address = licences.uri(licence, base) if licence else None
            fee = fees.fee_of(dataset_dict, resource)
            if licence and address:
                self._forget_licence(distribution)
                self.g.add((distribution, DCTERMS.license, URIRef(address)))
                self._licence(URIRef(address), licence, paid=fee is not None)
            if fee:
                self._offer(distribution, fee)
            for service in self.g.objects(distribution, DCAT.accessService):
                self._known_licence(service, known, base)
            if (distribution, DCAT.accessURL, None) not in self.g:  # data by grant: the page says how
                self.g.add((distribution, DCAT.accessURL, distribution))

    def parse_dataset(
        self,
        dataset_dict: dict[str, Any],
        dataset_ref: URIRef,  # noqa: ARG002
    ) -> dict[str, Any]:
        base, found = catalog_uri(), {}
        for resource in dataset_dict.get("resources", []):
            distribution = URIRef(resource.get("distribution_ref") or resource.get("uri") or "")
            address = self.g.value(distribution, DCTERMS.license)
            if address is not None and (id_ := licences.of_uri(str(address), base)):
                resource["license_id"] = found[id_] = id_
            if fee := self._fee(distribution):
                resource["fee"] = fee
        if len(found) == 1 and not dataset_dict.get("license_id"):
            dataset_dict["license_id"] = next(iter(found))
        return dataset_dict

    # -- writing ---------------------------------------------------------------------------------------------

    def _written(self, dataset: dict[str, Any]) -> list[tuple[dict[str, Any], URIRef]]:
        """Resources with the nodes that the profiles before this one gave them."""
        return [(each, CleanedURIRef(resource_uri(each))) for each in dataset.get("resources", [])]

    def _of_service(self, service: dict[str, Any], node: URIRef, known: Any, base: str) -> None:
        """A data service has no files: its licence is its own (DCAT 3 §6.9)."""
        licence = known.get(_licence_of({}, service, base) or "")
        if licence and (address := licences.uri(licence, base)):
            self._forget_licence(node)
            self.g.add((node, DCTERMS.license, URIRef(address)))
            self._licence(URIRef(address), licence, paid=False)

    def _known_licence(self, service: Node, known: Any, base: str) -> None:
        """A service that a file names: its licence under our address, where it is one of ours."""
        for stated in list(self.g.objects(service, DCTERMS.license)):
            licence = known.get(licences.of_uri(str(stated), base) or "")
            if licence and (address := licences.uri(licence, base)) and address != str(stated):
                self._forget_licence(service)
                self.g.add((service, DCTERMS.license, URIRef(address)))
                self._licence(URIRef(address), licence, paid=False)

    def _forget_licence(self, distribution: Any) -> None:
        """What an earlier profile wrote, with what it said of a licence that nothing names any more."""
        former = list(self.g.objects(distribution, DCTERMS.license))
        self.g.remove((distribution, DCTERMS.license, None))
        for licence in former:
            if (None, None, licence) not in self.g:
                self.g.remove((licence, None, None))

    def _licence(self, node: URIRef, licence: licences.Licence, *, paid: bool) -> None:
        self.g.add((node, RDF.type, DCTERMS.LicenseDocument))
        for language, title in licence["title"].items():
            self.g.add((node, DCTERMS.title, Literal(title, lang=language)))
        if paid:
            self.g.add((node, DCTERMS.type, ROYALTIES))
            for language, label in ROYALTIES_LABEL.items():
                self._concept(ROYALTIES, label, language)
        elif licence.get("type"):
            kind = URIRef(ADMS_TYPE + licence["type"])
            self.g.add((node, DCTERMS.type, kind))
            self._concept(kind, str(licence["type"]), "en")

    def _concept(self, node: URIRef, label: str, language: str) -> None:
        skos = Namespace("http://www.w3.org/2004/02/skos/core#")
        self.g.add((node, RDF.type, skos.Concept))
        self.g.add((node, skos.inScheme, URIRef(ADMS_TYPE + "1.1")))
        self.g.add((node, skos.prefLabel, Literal(label, lang=language)))

    def _offer(self, distribution: URIRef, fee: fees.Fee) -> None:
        joint = "-" if "#" in distribution else "#"  # an address has one fragment (RFC 3986 §3.5)
        offer, assigner = URIRef(f"{distribution}{joint}offer"), BNode()
        if (distribution, DCTERMS.rights, None) not in self.g:  # DCAT-AP 3.0.1: one statement at most
            writer = Writer(self.g, catalog_uri().rstrip("/"))
            writer.statement(distribution, DCTERMS.rights, PAID, DCTERMS.RightsStatement)
        self.g.add((distribution, ODRL.hasPolicy, offer))
        for kind in (ODRL.Offer, ODRL.Policy):
            self.g.add((offer, RDF.type, kind))
        self.g.add((offer, ODRL.uid, offer))
        self.g.add((offer, ODRL.assigner, assigner))
        self.g.add((assigner, RDF.type, ODRL.Party))
        self.g.add((assigner, FOAF.name, Literal(str(fee.get("body", "")))))
        for name, term in TEXTS.items():
            self._put(offer, term, fee.get(name))
        for name, term in DATES.items():
            self._put(offer, term, fee.get(name), XSD.date)
        if fee.get("basis_url"):
            self.g.add((offer, DCTERMS.source, URIRef(str(fee["basis_url"]))))
        for name in PROPERTIES:
            self._property(offer, name, fee.get(name))
        for line in fee.get("tariff") or ():
            self._permission(offer, distribution, line)

    def _permission(self, offer: Node, target: Node, line: dict[str, Any]) -> None:
        """One line of the tariff: a use that is permitted to whom pays an amount."""
        permission, duty, action, amount = BNode(), BNode(), BNode(), BNode()
        for triple in (
            (offer, ODRL.permission, permission),
            (permission, RDF.type, ODRL.Permission),
            (permission, ODRL.target, target),
            (permission, ODRL.action, ODRL.use),
            (permission, ODRL.duty, duty),
            (duty, RDF.type, ODRL.Duty),
            (duty, ODRL.action, action),
            (action, RDF.value, ODRL.compensate),
            (action, ODRL.refinement, amount),
            (amount, RDF.type, ODRL.Constraint),
            (amount, ODRL.leftOperand, ODRL.payAmount),
            (amount, ODRL.operator, ODRL.eq),
            (amount, ODRL.rightOperand, Literal(str(line["amount"]), datatype=XSD.decimal)),
            (amount, ODRL.unit, URIRef(CURRENCY + str(line["currency"]))),
        ):
            self.g.add(triple)
        self._put(permission, DCTERMS.description, line.get("reuse"))
        self._put(amount, SCHEMA.unitText, line.get("unit"))
        self._property(amount, "vat_percent", line.get("vat_percent"))

    def _put(self, node: Node, term: URIRef, value: Any, datatype: URIRef | None = None) -> None:
        if value not in (None, ""):
            self.g.add((node, term, Literal(str(value), datatype=datatype)))

    def _property(self, node: Node, name: str, value: Any) -> None:
        if value not in (None, ""):
            item = BNode()
            self.g.add((node, SCHEMA.additionalProperty, item))
            self.g.add((item, RDF.type, SCHEMA.PropertyValue))
            self.g.add((item, SCHEMA.propertyID, Literal(name)))
            self.g.add((item, SCHEMA.value, Literal(str(value))))

    # -- reading ---------------------------------------------------------------------------------------------

    def _fee(self, distribution: URIRef) -> fees.Fee | None:
        for offer in self.g.objects(distribution, ODRL.hasPolicy):
            lines = [self._line(each) for each in self.g.objects(offer, ODRL.permission)]
            if tariff := sorted((line for line in lines if line), key=lambda line: sorted(line.items())):
                return self._stated(offer) | {"tariff": tariff}
        return None

    def _stated(self, offer: Node) -> fees.Fee:
        assigner = self.g.value(offer, ODRL.assigner)
        found = {"body": assigner and self.g.value(assigner, FOAF.name)}
        for name, term in {**TEXTS, **DATES, "basis_url": DCTERMS.source}.items():
            found[name] = self.g.value(offer, term)
        return {name: str(value) for name, value in {**found, **self._properties(offer)}.items() if value}

    def _line(self, permission: Node) -> dict[str, str] | None:
        duty = self.g.value(permission, ODRL.duty)
        action = self.g.value(duty, ODRL.action) if duty else None
        amount = self.g.value(action, ODRL.refinement) if action else None
        if amount is None or self.g.value(action, RDF.value) != ODRL.compensate:
            return None
        found = {
            "amount": self.g.value(amount, ODRL.rightOperand),
            "currency": str(self.g.value(amount, ODRL.unit) or "").removeprefix(CURRENCY),
            "unit": self.g.value(amount, SCHEMA.unitText),
            "reuse": self.g.value(permission, DCTERMS.description),
            **self._properties(amount),
        }
        return {name: str(value) for name, value in found.items() if value}

    def _properties(self, node: Node) -> dict[str, Any]:
        pairs = (
            (self.g.value(item, SCHEMA.propertyID), self.g.value(item, SCHEMA.value))
            for item in self.g.objects(node, SCHEMA.additionalProperty)
        )
        return {str(name): value for name, value in pairs if name}
