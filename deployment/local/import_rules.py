"""Runs import-linter on our part of the `ckanext` namespace.

Installed extensions make `ckanext` an ordinary package of the environment, which hides our folder from a tool
that only looks at it; here the name means our folder alone. Called as `python -m local.import_rules`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from importlinter.cli import lint_imports

from local.settings import ROOT


class OurNamespace(MetaPathFinder):
    def find_spec(self, fullname: str, *_: Sequence[str] | ModuleType | None) -> ModuleSpec | None:
        if fullname != "ckanext":
            return None
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [str(ROOT / "ckanext-ccphva" / "ckanext")]
        return spec


if __name__ == "__main__":
    sys.modules.pop("ckanext", None)  # a .pth file of an installed extension has made it already
    sys.meta_path.insert(0, OurNamespace())
    sys.exit(lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True))
