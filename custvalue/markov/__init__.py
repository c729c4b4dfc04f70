"""Markov-chain customer value over discrete states."""

from custvalue.markov._absorption import Absorption
from custvalue.markov._chain import Chain
from custvalue.markov._clv import MarkovCLVEstimator
from custvalue.markov._counts import TransitionCounts
from custvalue.markov._decision import DecisionChain, Policy
from custvalue.markov._states import ColumnStates, PanelStates

__all__ = [
    "Absorption",
    "Chain",
    "ColumnStates",
    "DecisionChain",
    "MarkovCLVEstimator",
    "PanelStates",
    "Policy",
    "TransitionCounts",
]
