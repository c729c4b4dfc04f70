"""What customers think: perceived value, satisfaction, recommendation, reputation and needs."""

from custvalue.survey._awareness import awareness
from custvalue.survey._dimensions import dimensions
from custvalue.survey._importance import derived_importance
from custvalue.survey._kano import kano_classes
from custvalue.survey._measures import net_promoter, satisfaction_index, top_box, wave_change
from custvalue.survey._needs import (
    Need,
    coder_agreement,
    complaint_kinds,
    mention_shares,
    serves_table,
)
from custvalue.survey._needs_coverage import NeedsCoverage
from custvalue.survey._needs_stages import stage_needs
from custvalue.survey._perceived_value import PerceivedValue
from custvalue.survey._rake import rake
from custvalue.survey._scales import expectation_gap, importance_performance, reliability
from custvalue.survey._survey_table import Item, survey_table

__all__ = [
    "Item",
    "Need",
    "NeedsCoverage",
    "PerceivedValue",
    "awareness",
    "coder_agreement",
    "complaint_kinds",
    "derived_importance",
    "dimensions",
    "expectation_gap",
    "importance_performance",
    "kano_classes",
    "mention_shares",
    "net_promoter",
    "rake",
    "reliability",
    "satisfaction_index",
    "serves_table",
    "stage_needs",
    "survey_table",
    "top_box",
    "wave_change",
]
