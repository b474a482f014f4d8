"""The nbconvert exporter behind ``jupyter nbconvert --to after_sales_html``."""

from __future__ import annotations

from typing import Any

from nbconvert.exporters.exporter import Exporter
from nbformat import NotebookNode
from traitlets import Enum, default

from analysis.locale import LANGUAGES
from analysis.report.executed import refuse_unexecuted
from analysis.report.html import notebook_html


class AfterSalesHTMLExporter(Exporter):
    """One executed notebook as one self-contained page, rendered from its block records; code is not printed."""

    export_from_notebook = "After-sales HTML"
    output_mimetype = "text/html"
    language = Enum(LANGUAGES, default_value="en", help="Language of the page.").tag(config=True)

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".html"

    def from_notebook_node(  # type: ignore[override]  # text, as nbconvert's own template exporters return
        self, nb: NotebookNode, resources: Any | None = None, **options: Any
    ) -> tuple[str, dict[str, Any]]:
        prepared, resources = super().from_notebook_node(nb, resources, **options)
        name = resources.get("metadata", {}).get("name") or "notebook"
        refuse_unexecuted(name, prepared)
        return notebook_html(name, prepared, language=self.language), resources
