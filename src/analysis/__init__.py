"""After-sales finance: from a company's tables to a signed monthly report.

A number travels left to right: sources, tables, metrics, studies, exhibits, notebooks, report.
A module imports only from its left (``tests/test_layers.py`` holds the order).
"""

__version__ = "0.1.0"
