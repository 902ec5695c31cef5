"""What CKAN takes from us for datasets and organisations: snippets of forms, the list of licences."""

from __future__ import annotations

from pathlib import Path

import ckan.plugins.toolkit as tk
from ckan.common import CKANConfig
from ckanext.ccphva import licences


def configure(settings: CKANConfig) -> None:
    """Lay our snippets beside scheming's, and name the licences."""
    tk.add_template_directory(settings, str(Path(__file__).parent / "templates"))
    licences.configure(settings)
