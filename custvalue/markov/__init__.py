"""Value of a customer by the state that a panel says the customer is in."""

from custvalue.markov._clv import MarkovCLVEstimator
from custvalue.markov._hidden import HiddenStates
from custvalue.markov._states import ColumnStates, PanelStates

__all__ = ["ColumnStates", "HiddenStates", "MarkovCLVEstimator", "PanelStates"]
