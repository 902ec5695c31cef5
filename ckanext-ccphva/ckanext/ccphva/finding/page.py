"""What the search page shows, ready for its templates: links, chips, counts, map. Pure but for the
action's answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import ckan.plugins.toolkit as tk
from ckanext.ccphva import codelists, config, languages, outlines
from ckanext.ccphva.finding import asking, facets, words
from ckanext.ccphva.finding.asking import DEEPEST, Asked

Shown = dict[str, Any]
OFFERED = 8
"""Values of a filter that are shown before the others are unfolded."""
NEAR = 2
"""Page numbers on each side of the present one."""


def address(asked: Asked) -> str:
    """The page of a search."""
    found = asked.address()
    return str(tk.h.url_for("dataset.search")) + (f"?{found}" if found else "")


def feed_address(asked: Asked, **more: Any) -> str:
    pairs = replace(asked, page=1, cursor=None).pairs()
    return str(tk.h.url_for("ccphva_search.feed", **more)) + (f"?{asking.urlencode(pairs)}" if pairs else "")


def page(asked: Asked, found: Mapping[str, Any], language: str) -> Shown:
    """What `package/search.html` shows of a search and its answer."""
    shown = {facet["name"]: facet for facet in found["facets"]}
    return {
        "asked": asked,
        "count": found["count"],
        "results": found["results"],
        "chips": _chips(asked, shown, language),
        "clear": address(Asked(q=asked.q)),
        "facets": [
            _facet(asked, facet) for facet in found["facets"] if facet["name"] != "access" or _tells(facet)
        ],
        "sorts": [
            {"value": name, "label": tk._(label), "selected": name == (asked.sort or "relevance")}
            for name, (_, label) in asking.SORTS.items()
        ],
        "hidden": [pair for pair in asked.pairs() if pair[0] not in ("q", "sort")],
        "hidden_without_box": [pair for pair in asked.pairs() if pair[0] != "ext_bbox"],
        "pages": _pages(asked, found["count"]),
        "feed": feed_address(asked),
        "corrected": found["corrected"],
        "meant": {"text": found["meant"], "url": address(replace(asked, q=found["meant"]))}
        if found["meant"]
        else None,
        "notes": _notes(found),
        "broader": [] if found["count"] else _broader(asked),
        "themes": [] if found["count"] else _themes(language),
        "map": _map(asked, shown.get("commune")),
        "box": dict(zip(("west", "south", "east", "north"), asked.bbox, strict=True)) if asked.bbox else {},
    }


def away(asked: Asked) -> Shown:
    """What the page shows while Solr is away."""
    return {"asked": asked, "away": True}


def _tells(facet: Mapping[str, Any]) -> bool:
    """Whether a filter has something to choose from."""
    return len(facet["values"]) > 1 or any(value["chosen"] for value in facet["values"])


def _chips(asked: Asked, shown: Mapping[str, Shown], language: str) -> list[Shown]:
    """The filters at work, each with the search without it."""
    found = []
    for name, values in asked.filters.items():
        known = {each["value"]: each["label"] for each in shown.get(name, {}).get("values", ())}
        for value in values:
            label = known.get(value) or facets.label(name, value, language)
            found.append((tk._(facets.BY_NAME[name].title), label, asked.without_value(name, value)))
    for name, values in asked.others.items():
        found += [(tk._("Keyword"), value, asked.without_value(name, value)) for value in values]
    if asked.bbox:
        found.append((tk._("Place"), tk._("Rectangle on the map"), replace(asked, bbox=None, page=1)))
    return [{"title": title, "label": label, "url": address(other)} for title, label, other in found]


def _facet(asked: Asked, facet: Mapping[str, Any]) -> Shown:
    name = facet["name"]
    values = [
        value
        | {
            "url": address(
                (asked.without_value if value["chosen"] else asked.with_value)(name, value["value"])
            )
        }
        for value in facet["values"]
    ]
    values.sort(key=lambda each: not each["chosen"])  # what is chosen stands where it can be seen
    return {"name": name, "title": facet["title"], "values": values[:OFFERED], "more": values[OFFERED:]}


def _pages(asked: Asked, count: int) -> Shown:
    last = max(1, min(-(-count // asked.rows), DEEPEST // asked.rows))
    present = asked.page
    near = [number for number in range(present - NEAR, present + NEAR + 1) if 1 <= number <= last]
    numbers = sorted({1, *near, last}) if last > 1 else []

    def link(number: int) -> Shown:
        return {"number": number, "url": address(replace(asked, page=number)), "current": number == present}

    return {
        "last": link(last),
        "beyond": present > last,
        "previous": link(present - 1) if 1 < present <= last else None,
        "next": link(present + 1) if present < last else None,
        "numbers": [link(number) for number in numbers],
        "deeper": count > DEEPEST,
    }


def _notes(found: Mapping[str, Any]) -> list[str]:
    """What a reader should know of how the search was understood."""
    notes = []
    if found["cut"]:
        notes.append(
            tk._("Only the first {count} words of your search were looked for.").format(
                count=words.MOST_WORDS
            )
        )
    if found["unknown"]:
        notes.append(tk._("Not understood and left out: {names}").format(names=", ".join(found["unknown"])))
    return notes


def _broader(asked: Asked) -> list[Shown]:
    """Searches that find more than this one."""
    found = []
    plain = words.read(asked.q, fields=False).plain
    if len(plain) > 1:
        any_word = replace(asked, q=" OR ".join(plain), page=1)
        found.append({"label": tk._("Search for any of these words"), "url": address(any_word)})
    if asked.filters or asked.others or asked.bbox:
        found.append({"label": tk._("Search without filters"), "url": address(Asked(q=asked.q))})
    found.append({"label": tk._("All datasets"), "url": address(Asked())})
    return found


def _themes(language: str) -> list[Shown]:
    return [
        {
            "label": languages.best(concept.labels, language),
            "url": address(Asked(filters={"theme": (concept.code,)})),
        }
        for concept in codelists.load("data-theme")
    ]


def _map(asked: Asked, communes: Mapping[str, Any] | None) -> Shown | None:
    """The drawing of the territory, each commune with the search in it; None without outlines."""
    drawing = outlines.load(config.territory_folder())
    if drawing is None:
        return None
    values = {each["value"]: each for each in (communes or {}).get("values", ())}
    areas = [_area(asked, outline, values.get(outline.code)) for outline in drawing.outlines]
    edges = ("west", "south", "east", "north")
    return {"width": drawing.width, "height": drawing.height, "places": areas} | {
        edge: getattr(drawing, edge) for edge in edges
    }


def _area(asked: Asked, outline: outlines.Outline, value: Mapping[str, Any] | None) -> Shown:
    chosen = outline.code in asked.filters.get("commune", ())
    other = (asked.without_value if chosen else asked.with_value)("commune", outline.code)
    return asdict(outline) | {
        "chosen": chosen,
        "count": value["count"] if value else 0,
        "url": address(other),
    }
