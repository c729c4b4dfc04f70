"""What other rooms take from this one and a user has no need of."""

from custvalue.chains._absorption import Absorption
from custvalue.chains._counts import fit_concentration
from custvalue.chains._state_list import StateList
from custvalue.chains._tests import ChainTest, homogeneity, order_one_against_two, order_zero

__all__ = [
    "Absorption",
    "ChainTest",
    "StateList",
    "fit_concentration",
    "homogeneity",
    "order_one_against_two",
    "order_zero",
]
