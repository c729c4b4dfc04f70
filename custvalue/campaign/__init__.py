"""Whether a campaign worked: what it brought against a control group, and what a test can show."""

from custvalue.campaign._balance import covariate_balance, entropy_balance, sample_ratio_test
from custvalue.campaign._crm import crm_effect
from custvalue.campaign._effect import campaign_effect
from custvalue.campaign._policy import policy_value
from custvalue.campaign._response import ResponseModel
from custvalue.campaign._size import detectable_response, plan_test
from custvalue.campaign._uplift import UpliftModel

__all__ = [
    "ResponseModel",
    "UpliftModel",
    "campaign_effect",
    "covariate_balance",
    "crm_effect",
    "detectable_response",
    "entropy_balance",
    "plan_test",
    "policy_value",
    "sample_ratio_test",
]
