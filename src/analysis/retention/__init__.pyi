# What the package offers, read twice: by editors and mypy, and at run time by lazy_loader, which imports a name when it is first used.
from .cohorts import cohort_differences as cohort_differences
from .cohorts import cohort_matrix as cohort_matrix
from .components import ChurnComponents as ChurnComponents
from .components import churn_components as churn_components
from .components import components_of_spells as components_of_spells
from .scores import RiskScores as RiskScores
from .scores import risk_scores as risk_scores
from .study import RetentionStudy as RetentionStudy
from .study import study as study
