# What the package offers, read twice: by editors and mypy, and at run time by lazy_loader, which imports a name when it is first used.
from .base import ValueBase as ValueBase
from .effects import service_effects as service_effects
from .lifetime import CustomerValues as CustomerValues
from .lifetime import clv as clv
from .results import ValueStudy as ValueStudy
from .scenarios import what_if as what_if
from .scenarios import what_ifs as what_ifs
from .study import study as study
