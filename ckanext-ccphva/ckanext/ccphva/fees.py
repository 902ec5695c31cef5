"""Licences and reuse fees as French law has them: one pure check of a dataset. Imports nothing of CKAN.

Sources: Code des relations entre le public et l'administration (CRPA), articles L321-1 to L325-8, D323-2-1,
R324-4-1, R324-4-2; Directive (EU) 2019/1024, article 14; Regulation (EU) 2023/138, article 4.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from ckanext.ccphva import visibility
from ckanext.ccphva.languages import N_

NONE, MAIN_ACTIVITY, DIGITISED = GROUNDS = ("none", "L324-1", "L324-2")
"""Ground of a fee. `none` on a resource says that it is free where the dataset's other files are not."""
MOST_COVERED = Decimal(75)
REVISED_WITHIN_YEARS = 5
LONGEST_TEXT = 2_000
MOST_TARIFFS = 50
OUTSIDE_CRPA = "outside_crpa"
ADMINISTRATIONS = {"epci", "commune", "administration"}
HVD_LEGISLATION = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
API_FORMATS = {"API", "WFS", "WMS", "WMTS", "OGC API", "OAPIF", "SPARQL", "OPENAPI", "STA", "ODATA"}

TEXTS = ("body", "main_activity", "deliberation_reference")
NUMBERS = ("cost_cover_percent", "three_year_costs")
DATES = ("deliberation_date", "start", "review_date")
FIELDS = ("ground", *TEXTS, *NUMBERS, "basis_url", *DATES)
TARIFF = ("amount", "unit", "currency", "vat_percent", "reuse")
EXCLUSIVITY = ("start", "end", "review_date")

Fee = dict[str, Any]
Path = tuple[Any, ...]


@dataclass(frozen=True)
class Finding:
    """What is wrong, where in the dataset, and which article says so."""

    where: Path
    article: str
    message: str
    values: Mapping[str, Any] = field(default_factory=dict)


def check(
    dataset: Mapping[str, Any],
    licences: Mapping[str, Mapping[str, Any]],
    owner_kind: str | None = None,
    passed_on: Collection[str] | None = None,
) -> list[Finding]:
    """All that the law has against a dataset as it is about to be stored.

    :param dataset: as `package_show` gives it; `fee` may stand on it and on each resource.
    :param licences: the portal's licences by id (`schemas/licences.yaml`).
    :param owner_kind: `kind` of the organisation that owns it.
    :param passed_on: licences that a dataset from elsewhere may bear because its publisher chose them; None
        for any, when it is the publisher's catalogue that speaks.
    """
    return list(_findings(dataset, licences, owner_kind, passed_on))


def check_licence(
    dataset: Mapping[str, Any],
    licences: Mapping[str, Mapping[str, Any]],
    owner_kind: str | None = None,
    passed_on: Collection[str] | None = None,
) -> list[Finding]:
    """As `check`, of the licence alone: data services and series bear one and no fee."""
    foreign = described_elsewhere(dataset) and (passed_on is None or dataset.get("license_id") in passed_on)
    return [] if foreign else list(_licence(dataset, dataset, (), licences, owner_kind))


def _findings(
    dataset: Mapping[str, Any], licences: Any, owner_kind: str | None, passed_on: Collection[str] | None
) -> Iterator[Finding]:
    yield from _personal(dataset)
    yield from _regime(dataset, owner_kind)
    for prefix, thing in things(dataset):
        yield from _shape(thing.get("fee"), (*prefix, "fee"))
        foreign = described_elsewhere(dataset) and (passed_on is None or thing.get("license_id") in passed_on)
        if not foreign:  # whoever publishes data elsewhere has chosen their licence; we pass it on
            yield from _licence(dataset, thing, prefix, licences, owner_kind)
        own = thing.get("fee")
        if isinstance(own, Mapping) and is_fee(own):
            yield from _fee(own, prefix, licence_of(dataset, thing), licences)
    yield from _hvd(dataset, licences)


def things(dataset: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The dataset and its resources, each with its path."""
    yield (), dataset
    for number, resource in enumerate(dataset.get("resources") or ()):
        yield ("resources", number), resource


def licence_of(dataset: Mapping[str, Any], resource: Mapping[str, Any]) -> str:
    """The licence id that holds for a resource: its own, else the dataset's."""
    return str(resource.get("license_id") or dataset.get("license_id") or "")


def fee_of(dataset: Mapping[str, Any], resource: Mapping[str, Any]) -> Fee | None:
    """The fee that holds for a resource: its own, else the dataset's; None when it is free."""
    own = resource.get("fee") or dataset.get("fee")
    return dict(own) if isinstance(own, Mapping) and is_fee(own) else None


def is_fee(fee: Mapping[str, Any]) -> bool:
    """Whether an amount is asked; a `fee` may also record an exclusivity alone."""
    stated = fee.get("ground") or (fee.get("tariff") and MAIN_ACTIVITY)
    return bool(stated) and stated != NONE


def is_due(fee: Mapping[str, Any] | None, today: date) -> bool:
    """Whether a fee may be asked today: begun, and its review not overdue (CRPA L324-3)."""
    if not fee or not is_fee(fee):
        return False
    start, review = _day(fee.get("start")), _day(fee.get("review_date"))
    return review is not None and today <= review and (start is None or start <= today)


def is_overdue(fee: Mapping[str, Any] | None, today: date) -> bool:
    """Whether the date by which a fee had to be revised has passed (CRPA L324-3)."""
    review = _day(fee.get("review_date")) if fee and is_fee(fee) else None
    return review is not None and review < today


# -- rule 6 and rule 1 ---------------------------------------------------------------------------------------


def _personal(dataset: Mapping[str, Any]) -> Iterator[Finding]:
    declared = dataset.get("personal_data") or visibility.NO_PERSONAL_DATA
    if declared != visibility.NO_PERSONAL_DATA and dataset.get("visibility") != visibility.PRIVATE:
        yield Finding(
            ("visibility",), "L322-2", N_("personal data cannot be published: only `private` is possible")
        )


def _regime(dataset: Mapping[str, Any], kind: str | None) -> Iterator[Finding]:
    if dataset.get("licence_regime") == OUTSIDE_CRPA and kind in ADMINISTRATIONS:
        yield Finding(
            ("licence_regime",),
            "L300-2",
            N_("an administration is bound by the CRPA: it cannot be set aside"),
        )


def _licence(
    dataset: Mapping[str, Any], thing: Mapping[str, Any], prefix: Path, licences: Any, kind: str | None
) -> Iterator[Finding]:
    """Reuse free of charge: a licence of the decree, or one that is homologated (CRPA L323-2)."""
    where = (*prefix, "license_id")
    if not thing.get("license_id"):
        return
    licence = licences.get(str(thing["license_id"]))
    if licence is None:
        yield Finding(where, "L323-2", N_("this licence is not in the portal's list"))
        return
    if dataset.get("licence_regime") == OUTSIDE_CRPA and kind not in ADMINISTRATIONS:
        return
    crpa = licence.get("crpa", "homologation")
    homologated = licence.get("homologation") or (
        dataset.get("homologation_reference") and _day(dataset.get("homologation_date"))
    )
    if crpa == "homologation" and not homologated:
        yield Finding(
            where,
            "L323-2, D323-2-1",
            N_("this licence is not on the decree's list: give the reference and date of its homologation"),
        )
    if crpa == "partner" and dataset.get("visibility") == visibility.OPEN and not is_fee(fee_or_empty(thing)):
        yield Finding(
            where,
            "L323-2",
            N_("a partner licence is for restricted data, not for open data of an administration"),
        )


def described_elsewhere(dataset: Mapping[str, Any]) -> bool:
    """A dataset with a `uri` comes from another catalogue."""
    return bool(dataset.get("uri"))


def fee_or_empty(thing: Mapping[str, Any]) -> Mapping[str, Any]:
    fee = thing.get("fee")
    return fee if isinstance(fee, Mapping) else {}


# -- rules 2, 4, 5 -------------------------------------------------------------------------------------------


def _shape(fee: Any, at: Path) -> Iterator[Finding]:
    """What is no fee at all: wrong types, unknown names, texts without end."""
    if fee in (None, "", {}):
        return
    if not isinstance(fee, Mapping):
        yield Finding(
            at, "", N_("expecting an object, such as %(example)s"), {"example": '{"ground": "L324-1"}'}
        )
        return
    for name in sorted(set(fee) - {*FIELDS, "tariff", "exclusivity"}):
        yield Finding((*at, str(name)), "", N_("unknown field"))
    yield from _texts(fee, at)
    yield from _days(fee, DATES, at)
    for name in NUMBERS:
        if not _blank(fee.get(name)) and _number(fee[name]) is None:
            yield Finding(
                (*at, name), "", N_("expecting a number, such as %(example)s"), {"example": "1250.50"}
            )
    exclusivity = fee.get("exclusivity")
    if exclusivity:
        yield from _exclusivity(exclusivity, (*at, "exclusivity"))


def _texts(fee: Mapping[str, Any], at: Path) -> Iterator[Finding]:
    if fee.get("ground") not in (None, "", *GROUNDS):
        yield Finding(
            (*at, "ground"), "L324-1, L324-2", N_("unknown ground: expected none, L324-1 or L324-2")
        )
    for name in (*TEXTS, "basis_url"):
        if fee.get(name) and not isinstance(fee[name], str):
            yield Finding((*at, name), "", N_("expecting a text"))
        elif len(fee.get(name) or "") > LONGEST_TEXT:
            yield Finding(
                (*at, name), "", N_("the text is longer than %(most)d characters"), {"most": LONGEST_TEXT}
            )


def _exclusivity(given: Any, at: Path) -> Iterator[Finding]:
    if not isinstance(given, Mapping):
        yield Finding(
            at, "", N_("expecting an object, such as %(example)s"), {"example": '{"end": "2030-12-31"}'}
        )
        return
    for name in sorted(set(given) - set(EXCLUSIVITY)):
        yield Finding((*at, str(name)), "", N_("unknown field"))
    yield from _days(given, EXCLUSIVITY, at)
    if all(_blank(given.get(name)) for name in EXCLUSIVITY):
        return
    for name in ("end", "review_date"):
        if _blank(given.get(name)):
            yield Finding((*at, name), "L325-1 – L325-3", N_("an exclusivity needs an end and a review date"))
    start, end, review = (_day(given.get(name)) for name in EXCLUSIVITY)
    if start and end and end <= start:
        yield Finding((*at, "end"), "L325-1 – L325-3", N_("the end must come after the start"))
    if end and review and review > end:
        yield Finding((*at, "review_date"), "L325-1 – L325-3", N_("the review must not come after the end"))


def _fee(fee: Mapping[str, Any], prefix: Path, licence_id: str, licences: Any) -> Iterator[Finding]:
    at = (*prefix, "fee")
    if any(not _blank(value) for value in _mapping(fee.get("exclusivity")).values()):
        yield Finding(
            (*at, "ground"), "L324-1", N_("no fee on data that were under an exclusivity agreement")
        )
    if not (licences.get(licence_id) or {}).get("url"):
        yield Finding((*prefix, "license_id"), "L323-1", N_("a fee needs a licence whose text can be read"))
    if fee.get("ground") not in GROUNDS:
        yield Finding((*at, "ground"), "L324-1, L324-2", N_("say on which ground the fee is asked"))
    for name, article, message in _REQUIRED:
        needed = name not in _OF_MAIN_ACTIVITY or fee.get("ground") != DIGITISED
        if needed and _blank(fee.get(name)):
            yield Finding((*at, name), article, message)
    yield from _amounts(fee, at)
    yield from _tariff(fee.get("tariff"), (*at, "tariff"))
    yield from _term(fee, at)


_OF_MAIN_ACTIVITY = {"main_activity", "cost_cover_percent"}
_REQUIRED = (
    ("body", "L324-1", N_("name the body that asks the fee")),
    ("main_activity", "R324-4-1", N_("say why producing this information is the body's main activity")),
    ("cost_cover_percent", "R324-4-1", N_("give the share of costs that taxes, grants and subsidies cover")),
    ("three_year_costs", "R324-4-2", N_("give the average yearly costs of the last three financial years")),
    ("basis_url", "L324-3", N_("give the address where the basis of calculation can be read")),
    ("deliberation_reference", "L324-3", N_("give the reference of the deliberation that sets the fee")),
    ("deliberation_date", "L324-3", N_("give the date of the deliberation that sets the fee")),
    ("start", "L324-3", N_("give the date from which the fee is asked")),
    ("review_date", "L324-3", N_("give the date by which the fee is revised")),
)


def _amounts(fee: Mapping[str, Any], at: Path) -> Iterator[Finding]:
    covered, costs = _number(fee.get("cost_cover_percent")), _number(fee.get("three_year_costs"))
    if covered is not None and not 0 <= covered < MOST_COVERED:
        yield Finding(
            (*at, "cost_cover_percent"),
            "R324-4-1",
            N_("a fee needs less than %(most)d %% of costs covered by taxes, grants and subsidies"),
            {"most": int(MOST_COVERED)},
        )
    if costs is not None and costs <= 0:
        yield Finding((*at, "three_year_costs"), "R324-4-2", N_("without costs there is no fee"))
    url = fee.get("basis_url")
    if isinstance(url, str) and url and not url.startswith(("https://", "http://")):
        yield Finding((*at, "basis_url"), "L324-3", N_("expecting an address that begins with https://"))


def _tariff(lines: Any, at: Path) -> Iterator[Finding]:
    """Amounts that anybody can work out and compare (CRPA L324-3)."""
    if not lines or not isinstance(lines, Sequence) or isinstance(lines, str):
        yield Finding(at, "L324-3", N_("give at least one line of the tariff"))
        return
    if len(lines) > MOST_TARIFFS:
        yield Finding(at, "L324-3", N_("a tariff has at most %(most)d lines"), {"most": MOST_TARIFFS})
        return
    for number, line in enumerate(lines):
        here = (*at, number)
        if isinstance(line, Mapping):
            yield from _line(line, here)
        else:
            yield Finding(
                (*here, "amount"), "", N_("expecting an object, such as %(example)s"), {"example": "{}"}
            )


def _line(line: Mapping[str, Any], here: Path) -> Iterator[Finding]:
    for name in sorted(set(line) - set(TARIFF)):
        yield Finding((*here, str(name)), "", N_("unknown field"))
    for name in ("unit", "reuse"):
        if not isinstance(line.get(name), str) or _blank(line[name]):
            yield Finding((*here, name), "L324-3", N_("say for what and for which reuse the amount is asked"))
    amount, vat, currency = (
        _number(line.get("amount")),
        _number(line.get("vat_percent")),
        line.get("currency"),
    )
    if amount is None or amount <= 0:
        yield Finding((*here, "amount"), "L324-3", N_("expecting an amount above zero, such as 250.00"))
    if vat is None or not 0 <= vat <= 100:
        yield Finding((*here, "vat_percent"), "L324-3", N_("expecting a rate of VAT between 0 and 100"))
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isupper()):
        yield Finding((*here, "currency"), "L324-3", N_("expecting a currency in three letters, such as EUR"))


def _term(fee: Mapping[str, Any], at: Path) -> Iterator[Finding]:
    start, review, decided = (_day(fee.get(name)) for name in ("start", "review_date", "deliberation_date"))
    if start and review and review <= start:
        yield Finding((*at, "review_date"), "L324-3", N_("the review must come after the start"))
    if start and review and review > _years_later(start, REVISED_WITHIN_YEARS):
        yield Finding(
            (*at, "review_date"),
            "L324-3",
            N_("a fee is revised at least every %(years)d years"),
            {"years": REVISED_WITHIN_YEARS},
        )
    if start and decided and decided > start:
        yield Finding((*at, "deliberation_date"), "L324-3", N_("a fee cannot start before it is decided"))


# -- rule 3 --------------------------------------------------------------------------------------------------


def is_hvd(dataset: Mapping[str, Any]) -> bool:
    """Whether it is declared a high-value dataset: by its category or by the regulation."""
    laws = _list(dataset.get("applicable_legislation"))
    return bool(_list(dataset.get("hvd_category"))) or any("2023/138" in str(law) for law in laws)


def _hvd(dataset: Mapping[str, Any], licences: Any) -> Iterator[Finding]:
    """High-value datasets: free, openly licensed, by API and as a whole (Reg. (EU) 2023/138, art. 4)."""
    if not is_hvd(dataset):
        return
    for prefix, thing in things(dataset):
        if is_fee(fee_or_empty(thing)):
            yield Finding(
                (*prefix, "fee", "ground"),
                "Directive (EU) 2019/1024, art. 14",
                N_("a high-value dataset is free of charge"),
            )
    if described_elsewhere(dataset):
        return
    regulation = "Regulation (EU) 2023/138"
    if not _list(dataset.get("hvd_category")):
        yield Finding(("hvd_category",), regulation, N_("a high-value dataset names its category"))
    if not any("2023/138" in str(law) for law in _list(dataset.get("applicable_legislation"))):
        yield Finding(
            ("applicable_legislation",),
            regulation,
            N_("a high-value dataset names the regulation: %(uri)s"),
            {"uri": HVD_LEGISLATION},
        )
    if dataset.get("visibility") == visibility.OPEN and dataset.get("state") != "draft":
        yield from _hvd_offer(dataset, licences, f"{regulation}, art. 4")


def _hvd_offer(dataset: Mapping[str, Any], licences: Any, article: str) -> Iterator[Finding]:
    resources = list(dataset.get("resources") or ())
    for prefix, thing in things(dataset):
        named = thing.get("license_id") if prefix else _default_licence(dataset, resources)
        if named is not None and not (licences.get(str(named)) or {}).get("hvd"):
            yield Finding(
                (*prefix, "license_id"),
                article,
                N_("a high-value dataset is under a licence no stricter than CC BY 4.0"),
            )
    if not any(map(_is_api, resources)) or not any(map(_is_bulk, resources)):
        yield Finding(
            ("hvd_category",), article, N_("a high-value dataset is offered by an API and as a bulk download")
        )


def _default_licence(dataset: Mapping[str, Any], resources: Sequence[Mapping[str, Any]]) -> Any:
    """The dataset's licence, `""` for none; None where each resource has its own."""
    if not dataset.get("license_id") and resources and all(each.get("license_id") for each in resources):
        return None
    return dataset.get("license_id") or ""


def _is_api(resource: Mapping[str, Any]) -> bool:
    return bool(resource.get("access_services")) or str(resource.get("format") or "").upper() in API_FORMATS


def _is_bulk(resource: Mapping[str, Any]) -> bool:
    """A file, beside an API perhaps: one distribution may have both (DCAT 3, §6.8)."""
    return bool(resource.get("download_url")) or not _is_api(resource)


# -- values --------------------------------------------------------------------------------------------------


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value).strip().replace(",", "."))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < Decimal(10) ** 12 else None


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None


def _days(given: Mapping[str, Any], names: Sequence[str], at: Path) -> Iterator[Finding]:
    for name in names:
        if not _blank(given.get(name)) and _day(given[name]) is None:
            yield Finding(
                (*at, name), "", N_("expecting a date, such as %(example)s"), {"example": "2026-01-31"}
            )


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    return [each for each in value if each] if isinstance(value, list | tuple) else [value] if value else []
