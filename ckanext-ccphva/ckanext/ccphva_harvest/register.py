"""The models of ckanext-harvest, which bear no types: Any here, so that the rest stays checked.

Imports nothing of the plugin.
"""

from __future__ import annotations

from typing import Any

from ckanext.harvest import model as stock

HarvestGatherError: Any = stock.HarvestGatherError
HarvestJob: Any = stock.HarvestJob
HarvestObject: Any = stock.HarvestObject
HarvestObjectError: Any = stock.HarvestObjectError
HarvestSource: Any = stock.HarvestSource
