"""What other rooms take from this one and a user has no need of."""

from custvalue.campaign._result import CampaignEffect, CampaignEffects

__all__ = [
    "CampaignEffect",
    "CampaignEffects",
]
