"""What other rooms take from this one and a user has no need of."""

from custvalue.silence._methods import (
    CalibratedChance,
    PooledGaps,
    ShrunkGaps,
    Threshold,
)
from custvalue.silence._silence_options import GRADES

__all__ = ["GRADES", "CalibratedChance", "PooledGaps", "ShrunkGaps", "Threshold"]
