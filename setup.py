"""One distribution, four import roots (docs/developer/architecture.md says why)."""

from __future__ import annotations

from setuptools import find_namespace_packages, setup

ROOTS = {
    "ckanext": "ckanext-ccphva/ckanext",
    "ccphva_harvesters": "harvesters/ccphva_harvesters",
    "ccphva_schemas": "schemas",
    "ccphva_themes": "themes",
}


def packages() -> list[str]:
    found = find_namespace_packages("ckanext-ccphva", include=["ckanext.*"])
    for name, folder in ROOTS.items():
        if name != "ckanext":
            found += [name, *(f"{name}.{sub}" for sub in find_namespace_packages(folder))]
    return found


setup(
    packages=packages(),
    package_dir=ROOTS,
    package_data={
        "": [
            "*.ini",
            "*.sh",
            "*.json",
            "*.mako",
            "*.yaml",
            "*.html",
            "*.css",
            "*.js",
            "*.svg",
            "*.po",
            "*.mo",
            "*.sql",
            "*.txt",
            "*.xml",
            "*.ttl",
            "*.j2",
            "*.png",
            "py.typed",
        ]
    },
    include_package_data=False,
)
