"""Kinds of sources that the register offers: one small plugin class each, on one shared face."""

from __future__ import annotations

from typing import Any, NoReturn

import ckan.plugins as p
from ccphva_harvesters import Retiring, load_part
from ckanext.ccphva_harvest import dispatch, settings
from ckanext.ccphva_harvest.register import HarvestObject, HarvestSource
from ckanext.harvest.interfaces import IHarvester


class LibraryHarvester(p.SingletonPlugin):
    """Face of a pair of the library's source and format in ckanext-harvest's register.

    Its stages are never called by our engine; whoever calls them started a stock queue.
    """

    kind = ""
    source_type = ""
    format_type = ""
    title = ""
    description = ""

    def info(self) -> dict[str, Any]:
        return {
            "name": self.kind,
            "title": self.title,
            "description": self.description,
            "form_config_interface": "Text",
        }

    def validate_config(self, config: str | None) -> str:
        """The configuration as JSON; an unknown key is an error with its path."""
        return settings.normalised(self.source_type, self.format_type, config)

    def get_original_url(self, harvest_object_id: str) -> str | None:
        """Where a person can look at the record: its guid, when that is an address."""
        entry = HarvestObject.get(harvest_object_id)
        return entry.guid if entry and entry.guid.startswith(("http://", "https://")) else None

    def gather_stage(self, _job: Any) -> NoReturn:
        self._refuse()

    def fetch_stage(self, _harvest_object: Any) -> NoReturn:
        self._refuse()

    def import_stage(self, _harvest_object: Any) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        message = f"Sources of type {self.kind!r} are run by Celery's workers, not by stock queues"
        raise NotImplementedError(message)


class CcphvaDcatHarvester(LibraryHarvester):
    p.implements(IHarvester)

    kind = "ccphva_dcat"
    source_type = "dcat"
    format_type = "dcat-ap"
    title = "DCAT"
    description = "DCAT 2/3, DCAT-AP, GeoDCAT-AP (RDF/XML, Turtle, JSON-LD, N-Triples), Hydra"


class CcphvaCswHarvester(LibraryHarvester):
    p.implements(IHarvester)

    kind = "ccphva_csw"
    source_type = "csw"
    format_type = "iso19139"
    title = "CSW"
    description = "CSW 2.0.2, ISO 19139 (INSPIRE)"


class CcphvaCkanHarvester(LibraryHarvester):
    p.implements(IHarvester)

    kind = "ccphva_ckan"
    source_type = "ckan"
    format_type = "ckan-json"
    title = "CKAN (API)"
    description = "CKAN 2.2+, API"


class CcphvaRecordsHarvester(LibraryHarvester):
    p.implements(IHarvester)

    kind = "ccphva_ogcapi_records"
    source_type = "ogcapi-records"
    format_type = "ogc-record"
    title = "OGC API Records"
    description = "OGC API Records"


class CcphvaFeaturesHarvester(LibraryHarvester):
    p.implements(IHarvester)

    kind = "ccphva_ogcapi_features"
    source_type = "ogcapi-features"
    format_type = "native"
    title = "OGC API Features"
    description = "OGC API Features"


class CcphvaWfsHarvester(LibraryHarvester):
    p.implements(IHarvester)

    kind = "ccphva_wfs"
    source_type = "wfs"
    format_type = "native"
    title = "WFS"
    description = "WFS 2.0, 1.1, 1.0 (GeoJSON, GML)"


class CcphvaOneM2MHarvester(LibraryHarvester):
    p.implements(IHarvester)

    kind = "ccphva_onem2m"
    source_type = "onem2m"
    format_type = "native"
    title = "oneM2M"
    description = "oneM2M Release 3, 4, 5 (HTTP)"


class CcphvaRestHarvester(LibraryHarvester):
    p.implements(IHarvester)

    kind = "ccphva_rest"
    source_type = "rest"
    format_type = "native"
    title = "REST/JSON"
    description = "REST/JSON, JMESPath"


class CcphvaFolderHarvester(LibraryHarvester):
    p.implements(IHarvester)

    kind = "ccphva_folder"
    source_type = "folder"
    format_type = "native"
    title = "CSV, XLSX, XLS, ODS"
    description = "CSV, XLSX, XLS, ODS"


def kinds() -> dict[str, tuple[str, str]]:
    """The library's source and format by the register's type."""
    return {each.kind: (each.source_type, each.format_type) for each in LibraryHarvester.__subclasses__()}


def retire(source_id: str) -> None:
    """Have a worker take back what a source leaves at its platform, if it is of such a kind."""
    source = HarvestSource.get(source_id)
    name = kinds().get(source.type, ("", ""))[0] if source else ""
    if name and issubclass(load_part("ccphva.sources", name, "$.source.type"), Retiring):
        dispatch.retire(source_id)
