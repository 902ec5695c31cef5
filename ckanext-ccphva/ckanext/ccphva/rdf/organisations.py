"""An organisation of the portal as an agent: kind, SIREN, INSEE code, the organisation above, contact.

W3C Organization Ontology §4; identifiers as adms:Identifier (DCAT-AP 3.0.1); the commune is INSEE's own URI.
"""

from __future__ import annotations

from typing import Any

from ckan import model
from ckanext.ccphva import languages
from rdflib import Literal, URIRef
from rdflib.term import Node

from .vocabulary import DCTERMS, FOAF, ORG, RDF
from .writer import Writer

_TYPE = "http://purl.org/adms/publishertype/"
TYPES = {
    "epci": "LocalAuthority", "commune": "LocalAuthority", "administration": "NationalAuthority",
    "association": "NonProfitOrganisation", "company": "Company", "operator": "Company",
}  # fmt: skip
"""Publisher type of ADMS for a kind of organisation."""
_COMMUNE = "http://id.insee.fr/geo/commune/"


def address(portal: str, id_: str) -> str:
    """URI of an organisation."""
    return f"{portal}/organization/{id_}"


def by_name(writer: Writer, name: str) -> Node | None:
    """Describe the organisation of a name, if there is one."""
    group = model.Group.get(name)
    return agent(writer, group.id) if group is not None else None


def agent(writer: Writer, id_: str) -> Node:
    """Describe an organisation, as far as it is there, and give its node."""
    node = URIRef(address(writer.portal, id_))
    group = model.Group.get(id_)
    if group is None:
        return node
    extras: dict[str, Any] = dict(getattr(group, "extras", None) or {})
    writer.agent(
        {
            "uri": str(node),
            "name": group.title or group.name,
            "name_translated": languages.parse(extras.get("title_translated")),
            "type": _TYPE + TYPES[extras["kind"]] if extras.get("kind") in TYPES else None,
            "identifier": extras.get("siren"),
            "email": extras.get("email"),
            "telephone": extras.get("telephone"),
            "url": extras.get("url"),
        }
        | {part: extras.get(part) for part in ("street", "postcode", "city", "country")}
    )
    writer.graph.add((node, RDF.type, ORG.Organization))
    writer.graph.add((node, RDF.type, FOAF.Organization))
    if siren := extras.get("siren"):
        writer.identifier(node, siren, "INSEE (SIREN)")
    if insee := extras.get("insee"):
        writer.identifier(node, insee, "INSEE (COG)")
        writer.add(node, DCTERMS.spatial, URIRef(_COMMUNE + insee), DCTERMS.Location)
    above = model.Group.get(extras["parent"]) if extras.get("parent") else None
    if above is not None:
        parent = URIRef(address(writer.portal, above.id))
        writer.add(node, ORG.subOrganizationOf, parent, ORG.Organization)
        if (parent, FOAF.name, None) not in writer.graph:
            writer.add(parent, FOAF.name, Literal(above.title or above.name))
    return node
