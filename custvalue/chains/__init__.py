"""Markov chains as values: counted transitions, expected times and values, decisions, tests."""

from custvalue.chains._absorption import Absorption
from custvalue.chains._chain import Chain
from custvalue.chains._counts import TransitionCounts, fit_concentration
from custvalue.chains._decision import DecisionChain, Policy
from custvalue.chains._state_list import StateList
from custvalue.chains._tests import ChainTest, homogeneity, order_one_against_two, order_zero

__all__ = [
    "Absorption",
    "Chain",
    "ChainTest",
    "DecisionChain",
    "Policy",
    "StateList",
    "TransitionCounts",
    "fit_concentration",
    "homogeneity",
    "order_one_against_two",
    "order_zero",
]
