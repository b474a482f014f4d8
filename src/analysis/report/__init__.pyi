# What the package offers, read twice: by editors and mypy, and at run time by lazy_loader, which imports a name when it is first used.
from .make import make_report as make_report
from .publish import Edition as Edition
from .tracing import Listing as Listing
from .tracing import Trace as Trace
from .tracing import trace as trace
