"""Markov chains as values: counted transitions, expected times and values, decisions, tests."""

from custvalue.chains._chain import Chain
from custvalue.chains._counts import TransitionCounts
from custvalue.chains._decision import DecisionChain

__all__ = [
    "Chain",
    "DecisionChain",
    "TransitionCounts",
]
