"""The nbconvert exporter behind ``jupyter nbconvert --to after_sales_pdf``."""

from __future__ import annotations

from typing import Any

from nbconvert.exporters.exporter import Exporter
from nbformat import NotebookNode
from traitlets import Enum, default

from analysis.locale import LANGUAGES
from analysis.report.executed import refuse_unexecuted
from analysis.report.pdf import notebook_pdf


class AfterSalesPDFExporter(Exporter):
    """One executed notebook as one PDF, rendered from its block records; code and other outputs are not printed."""

    export_from_notebook = "After-sales PDF"
    output_mimetype = "application/pdf"
    language = Enum(LANGUAGES, default_value="en", help="Language of the PDF.").tag(config=True)

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".pdf"

    def from_notebook_node(  # type: ignore[override]  # bytes, as nbconvert's own PDF exporter returns
        self, nb: NotebookNode, resources: Any | None = None, **options: Any
    ) -> tuple[bytes, dict[str, Any]]:
        prepared, resources = super().from_notebook_node(nb, resources, **options)
        name = resources.get("metadata", {}).get("name") or "notebook"
        refuse_unexecuted(name, prepared)
        return notebook_pdf(name, prepared, language=self.language), resources
