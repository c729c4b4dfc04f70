"""One Display class a picture, each a thin layer over its ``table``."""

from custvalue.plotting._alive import FrequencyRecencyDisplay
from custvalue.plotting._cohort import CohortDisplay
from custvalue.plotting._contribution import ContributionDisplay
from custvalue.plotting._customers import IsoValueDisplay, TimingDisplay
from custvalue.plotting._forecast import CalibrationDisplay, TrackingDisplay
from custvalue.plotting._funnel import FunnelDisplay
from custvalue.plotting._laws import (
    CountDisplay,
    HoldoutDisplay,
    RepeatsDisplay,
    SpendDisplay,
    TraitDisplay,
)
from custvalue.plotting._markets import MarketMatrixDisplay
from custvalue.plotting._segments import RFMHeatmapDisplay, SegmentTreemapDisplay
from custvalue.plotting._silence import GapCurveDisplay, TimelineDisplay
from custvalue.plotting._style import svg_text
from custvalue.plotting._survey import ImportancePerformanceDisplay, ValueMapDisplay
from custvalue.plotting._transitions import FlowDisplay, TransitionDisplay
from custvalue.plotting._uplift import UpliftDisplay
from custvalue.plotting._worth import ConcentrationDisplay, StateValueDisplay, WhaleCurveDisplay

__all__ = [
    "CalibrationDisplay",
    "CohortDisplay",
    "ConcentrationDisplay",
    "ContributionDisplay",
    "CountDisplay",
    "FlowDisplay",
    "FrequencyRecencyDisplay",
    "FunnelDisplay",
    "GapCurveDisplay",
    "HoldoutDisplay",
    "ImportancePerformanceDisplay",
    "IsoValueDisplay",
    "MarketMatrixDisplay",
    "RFMHeatmapDisplay",
    "RepeatsDisplay",
    "SegmentTreemapDisplay",
    "SpendDisplay",
    "StateValueDisplay",
    "TimelineDisplay",
    "TimingDisplay",
    "TrackingDisplay",
    "TraitDisplay",
    "TransitionDisplay",
    "UpliftDisplay",
    "ValueMapDisplay",
    "WhaleCurveDisplay",
    "svg_text",
]
