"""Ships params and notebooks inside the wheel; an editable install reads them where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = ("params/**/*.yml", "notebooks/*.ipynb")


class ShippedDefaults(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        for pattern in SHIPPED:
            for path in sorted(root.glob(pattern)):
                inside = path.relative_to(root).as_posix()
                build_data["force_include"][str(path)] = f"analysis/shipped/{inside}"
