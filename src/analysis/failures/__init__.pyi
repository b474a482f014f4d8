# What the package offers, read twice: by editors and mypy, and at run time by lazy_loader, which imports a name when it is first used.
from .fault_tree import FaultTree as FaultTree
from .localising import localise as localise
from .root_cause import ClaimsForecast as ClaimsForecast
from .root_cause import FailureStudy as FailureStudy
from .root_cause import NotRated as NotRated
from .root_cause import claims_forecast as claims_forecast
from .root_cause import study as study
from .root_cause import study_or_gap as study_or_gap
