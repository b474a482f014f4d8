"""What the retention study asks, one part per question."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.metrics import NotDone
from analysis.periods import Month
from analysis.results import Fact
from analysis.retention.accounts import Accounts
from analysis.retention.chain import Chain
from analysis.retention.cohorts_facts import Cohorts
from analysis.retention.components_facts import ChurnBasis
from analysis.retention.drivers import Drivers
from analysis.retention.effects import Curvature
from analysis.retention.leavers import Leavers
from analysis.retention.matching_facts import AfterService
from analysis.retention.newcomers import NewcomerMix
from analysis.retention.revenue import RevenueRetention, Rolling
from analysis.retention.scores_facts import EarlyWarning
from analysis.retention.surges import LossSurges
from analysis.retention.surveys import SurveyResponse
from analysis.retention.survival import ContractSurvival
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True, eq=False)
class RetentionParts(Summarised):
    """What the study asks, one part per question; a part that could not be made says why.

    ``models`` decides which pages are made: ``b2b`` accounts and renewals, ``b2c`` cohorts and the call list; what neither needs is left out.
    """

    month: Month
    models: frozenset[str]
    limit: Fact
    contractual: ChurnBasis | NotDone
    non_contractual: ChurnBasis | NotDone
    model_churn: Fact | NotDone
    first_loss: Month | None | NotDone
    reasons: tuple[tuple[tuple[str, bool | None, Fact], ...], Fact] | NotDone
    revenue: tuple[RevenueRetention, ...] | NotDone
    renewals: tuple[tuple[Month, str, Fact, Fact], ...] | NotDone
    rolling: Rolling | None | NotDone
    accounts: Accounts | NotDone
    contract_cohorts: Cohorts | NotDone
    purchase_cohorts: Cohorts | NotDone
    product_cohorts: Cohorts | NotDone
    service_cohorts: Cohorts | NotDone
    effects: tuple[Curvature, ...] | NotDone
    survival: ContractSurvival | NotDone
    leavers: Leavers | NotDone
    surges: LossSurges | NotDone
    newcomers: NewcomerMix | NotDone
    drivers: Drivers | NotDone
    chain: Chain | NotDone
    surveys: SurveyResponse | NotDone
    repurchase: tuple[AfterService, ...] | NotDone
    loss_after_repair: tuple[AfterService, ...] | NotDone
    early_warning: EarlyWarning | NotDone
