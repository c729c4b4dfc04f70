"""Whether a campaign worked: what it brought against a control group, and what a test can show."""

from custvalue.campaign._effect import CampaignEffect, campaign_effect, detectable_response

__all__ = [
    "CampaignEffect",
    "campaign_effect",
    "detectable_response",
]
