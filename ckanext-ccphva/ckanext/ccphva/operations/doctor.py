"""`ckan ccphva doctor`: looks at everything, says in one sentence what it found and how to mend it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator

from ckanext.ccphva.operations import catalogue_checks, configuration_checks, machine_checks, service_checks
from ckanext.ccphva.operations.findings import Finding, Level, fail

log = logging.getLogger(__name__)

AREAS: dict[str, Iterable[Callable[[], Iterator[Finding]]]] = {
    "configuration": configuration_checks.CHECKS,
    "services": service_checks.CHECKS,
    "machine": machine_checks.CHECKS,
    "catalogue": catalogue_checks.CHECKS,
}
SIGNS = {Level.OK: "✓", Level.WARN: "!", Level.FAIL: "✗"}


def examine(areas: Iterable[str]) -> Iterator[Finding]:
    """Findings of the named areas, in their order.

    :param areas: names out of `AREAS`; none means all.
    """
    chosen = set(areas) or AREAS.keys()
    for area, checks in AREAS.items():
        if area in chosen:
            for check in checks:
                yield from _run(area, check)


def _run(area: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    name = f"{area}.{check.__name__}"
    try:
        yield from check()
    except Exception as error:  # a check that breaks is a finding, not the end of the examination
        log.exception("check %s broke", name)
        said = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
        yield fail(
            name,
            f"L'examen {name} a échoué : {said}",
            f"The check {name} broke: {said}",
            "journalctl -u 'ccphva-*' -n 200",
        )


def line(finding: Finding, language: str) -> str:
    mend = finding.mend_to(language)
    return f"{SIGNS[finding.level]} {finding.text.to(language)}" + (f"\n    → {mend}" if mend else "")


def as_json(findings: list[Finding], language: str) -> str:
    counts = {str(level): sum(f.level is level for f in findings) for level in Level}
    return json.dumps(
        {"counts": counts, "findings": [f.to_dict(language) for f in findings]}, indent=1, ensure_ascii=False
    )
