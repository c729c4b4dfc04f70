"""What customers think: perceived value, satisfaction, recommendation, reputation and needs."""

from custvalue.survey._awareness import Awareness, awareness
from custvalue.survey._dimensions import dimensions
from custvalue.survey._estimate import Estimate, effective_size
from custvalue.survey._importance import DerivedImportance, derived_importance
from custvalue.survey._kano import KanoClasses, kano_classes
from custvalue.survey._measures import (
    SatisfactionIndex,
    WaveChange,
    net_promoter,
    satisfaction_index,
    top_box,
    wave_change,
)
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
from custvalue.survey._rake import Raked, rake
from custvalue.survey._scales import (
    ExpectationGap,
    ImportancePerformance,
    Reliability,
    expectation_gap,
    importance_performance,
    reliability,
)
from custvalue.survey._survey_table import Item, survey_table
from custvalue.survey._value_map import ValueMap

__all__ = [
    "Awareness",
    "DerivedImportance",
    "Estimate",
    "ExpectationGap",
    "ImportancePerformance",
    "Item",
    "KanoClasses",
    "Need",
    "NeedsCoverage",
    "PerceivedValue",
    "Raked",
    "Reliability",
    "SatisfactionIndex",
    "ValueMap",
    "WaveChange",
    "awareness",
    "coder_agreement",
    "complaint_kinds",
    "derived_importance",
    "dimensions",
    "effective_size",
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
