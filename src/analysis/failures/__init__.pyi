# What the package offers, read twice: by editors and mypy, and at run time by lazy_loader, which imports a name when it is first used.
from .claims import ClaimsForecast as ClaimsForecast
from .claims import claims_forecast as claims_forecast
from .fault_tree import FaultTree as FaultTree
from .localising import localise as localise
from .result import FailureStudy as FailureStudy
from .result import NotRated as NotRated
from .study import study as study
