"""Whether a campaign worked: what it brought against a control group, and what a test can show."""

from custvalue.campaign._adjust import Adjustment
from custvalue.campaign._balance import (
    Balance,
    BalancingWeights,
    SampleRatio,
    covariate_balance,
    entropy_balance,
    sample_ratio_test,
)
from custvalue.campaign._crm import crm_effect
from custvalue.campaign._crm_result import CrmEffect, Estimate
from custvalue.campaign._effect import campaign_effect
from custvalue.campaign._policy import policy_value
from custvalue.campaign._response import ResponseModel, gains_table
from custvalue.campaign._result import CampaignEffect, CampaignEffects, GroupEffect
from custvalue.campaign._size import CampaignPlan, detectable_response, plan_test
from custvalue.campaign._uplift import OutOfFold, UpliftModel

__all__ = [
    "Adjustment",
    "Balance",
    "BalancingWeights",
    "CampaignEffect",
    "CampaignEffects",
    "CampaignPlan",
    "CrmEffect",
    "Estimate",
    "GroupEffect",
    "OutOfFold",
    "ResponseModel",
    "SampleRatio",
    "UpliftModel",
    "campaign_effect",
    "covariate_balance",
    "crm_effect",
    "detectable_response",
    "entropy_balance",
    "gains_table",
    "plan_test",
    "policy_value",
    "sample_ratio_test",
]
