"""Puts the bill of materials into the wheel, below ``.dist-info/sboms`` (PEP 770), where ``make release`` made one."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BILL = "sbom/tollbridge.cdx.json"


class BillOfMaterials(BuildHookInterface[Any]):
    """Without a bill, as in a clone, the wheel is built without it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds a wheel; an editable one carries no bill."""
        if version == "standard" and Path(self.root, BILL).is_file():
            build_data["sbom_files"].append(BILL)
