"""What other rooms take from this one and a user has no need of."""

from custvalue.lifecycle._decided import StageRules
from custvalue.lifecycle._lifecycle_evidence import check_mapping
from custvalue.lifecycle._lifecycle_history import StageHistory
from custvalue.lifecycle._lifecycle_words import rule_words, stage_names
from custvalue.lifecycle._stage_test import SeenStages, StageTest, stages_tested
from custvalue.lifecycle._stages import RULES

__all__ = [
    "RULES",
    "SeenStages",
    "StageHistory",
    "StageRules",
    "StageTest",
    "check_mapping",
    "rule_words",
    "stage_names",
    "stages_tested",
]
