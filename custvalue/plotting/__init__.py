"""One Display class a picture, each a thin layer over a public table."""

from custvalue.plotting._alive import FrequencyRecencyDisplay, history_table
from custvalue.plotting._cohort import CohortDisplay
from custvalue.plotting._contribution import ContributionDisplay
from custvalue.plotting._forecast import (
    CalibrationDisplay,
    TrackingDisplay,
    tracking_table,
)
from custvalue.plotting._funnel import FunnelDisplay
from custvalue.plotting._markets import MarketMatrixDisplay, market_matrix_table
from custvalue.plotting._segments import (
    RFMHeatmapDisplay,
    SegmentTreemapDisplay,
    rfm_table,
    segment_table,
)
from custvalue.plotting._silence import GapCurveDisplay, TimelineDisplay
from custvalue.plotting._style import BAR as BAR
from custvalue.plotting._style import BLUE as BLUE
from custvalue.plotting._style import INK as INK
from custvalue.plotting._style import ORANGE as ORANGE
from custvalue.plotting._style import plain_numbers as plain_numbers
from custvalue.plotting._style import quiet_axes as quiet_axes
from custvalue.plotting._style import set_letters as set_letters
from custvalue.plotting._style import state_names as state_names
from custvalue.plotting._style import svg_text
from custvalue.plotting._survey import ImportancePerformanceDisplay, ValueMapDisplay
from custvalue.plotting._transitions import FlowDisplay, TransitionDisplay, flow_table
from custvalue.plotting._uplift import UpliftDisplay
from custvalue.plotting._worth import (
    ConcentrationDisplay,
    StateValueDisplay,
    WhaleCurveDisplay,
    concentration_table,
)

__all__ = [
    "CalibrationDisplay",
    "CohortDisplay",
    "ConcentrationDisplay",
    "ContributionDisplay",
    "FlowDisplay",
    "FrequencyRecencyDisplay",
    "FunnelDisplay",
    "GapCurveDisplay",
    "ImportancePerformanceDisplay",
    "MarketMatrixDisplay",
    "RFMHeatmapDisplay",
    "SegmentTreemapDisplay",
    "StateValueDisplay",
    "TimelineDisplay",
    "TrackingDisplay",
    "TransitionDisplay",
    "UpliftDisplay",
    "ValueMapDisplay",
    "WhaleCurveDisplay",
    "concentration_table",
    "flow_table",
    "history_table",
    "market_matrix_table",
    "rfm_table",
    "segment_table",
    "svg_text",
    "tracking_table",
]
