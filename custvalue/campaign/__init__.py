"""Whether a campaign worked: what it brought against a control group, and what a test can show."""

from custvalue.campaign._effect import CampaignEffect, campaign_effect, detectable_response
from custvalue.campaign._response import ResponseModel, gains_table

__all__ = [
    "CampaignEffect",
    "ResponseModel",
    "campaign_effect",
    "detectable_response",
    "gains_table",
]
