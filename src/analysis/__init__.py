"""After-sales finance: from a company's tables to a signed monthly report.

A number travels left to right: sources, tables, metrics, studies, exhibits, notebooks, report.
A module imports only from its left (``tests/test_layers.py`` holds the order).
"""

__version__ = "0.1.0"

# The public door: what a notebook or another program may count on. An empty tuple is everything that the package exports; a name with a
# dot is one method of a class. `tests/unit/test_public_door.py` holds each of them to its docstring and runs its example. All else may move.
PUBLIC: dict[str, tuple[str, ...]] = {
    "analysis.stats": (),
    "analysis.summaries": ("Summarised.plot", "Summarised.summary"),
    "analysis.params": ("load_run",),
    "analysis.sources": ("apply_map", "load_map", "propose_map"),
    "analysis.tables": ("load_tables",),
    "analysis.metrics": ("Engine.aggregate", "Engine.derived", "Engine.fact", "Engine.query", "Period"),
    "analysis.costs": (),
    "analysis.failures": (),
    "analysis.retention": (),
    "analysis.value": (),
    "analysis.quality": ("QualityStudy", "study"),
    "analysis.executive": ("ExecutiveStudy", "study"),
    "analysis.exhibits": ("Block.frame",),
    "analysis.workbook": ("MonthRun", "open_run"),
    "analysis.report": ("make_report", "trace"),
    "analysis.sample": ("generate", "make_sample"),
}
