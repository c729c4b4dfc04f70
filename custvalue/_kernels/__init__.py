"""Numerics that several laws need: numpy and scipy only."""

from custvalue._kernels._beta_density import log_beta_density
from custvalue._kernels._beta_mean import mean_over_beta
from custvalue._kernels._bins import bins_of, quantile_cuts
from custvalue._kernels._choice import ChosenOptions, Limit, choose_options
from custvalue._kernels._compress import Histories, compress, distinct_pairs, grid_of, kinds_of
from custvalue._kernels._differences import by_differences, rows_by_differences
from custvalue._kernels._gammas import (
    counts_of,
    log_beta_ratio,
    log_rising,
    psi_rising,
    rising_rows,
    rising_sums,
    sigmoid,
    softplus,
)
from custvalue._kernels._newton import Objective, Optimum, covariance, maximise, pseudo_covariance
from custvalue._kernels._quadrature import legendre
from custvalue._kernels._recency import customers_in, silence_instead_of_recency
from custvalue._kernels._shapley import coalitions, shapley
from custvalue._kernels._shares import repeated_shares, share_ratio, wilson
from custvalue._kernels._trees import MOST_LEAVES, SmallTree, sum_of_trees
from custvalue._kernels._two_powers import NODES, PANEL, bounds, log_integrand, log_two_powers

__all__ = [
    "MOST_LEAVES",
    "NODES",
    "PANEL",
    "ChosenOptions",
    "Histories",
    "Limit",
    "Objective",
    "Optimum",
    "SmallTree",
    "bins_of",
    "bounds",
    "by_differences",
    "choose_options",
    "coalitions",
    "compress",
    "counts_of",
    "covariance",
    "customers_in",
    "distinct_pairs",
    "grid_of",
    "kinds_of",
    "legendre",
    "log_beta_density",
    "log_beta_ratio",
    "log_integrand",
    "log_rising",
    "log_two_powers",
    "maximise",
    "mean_over_beta",
    "pseudo_covariance",
    "psi_rising",
    "quantile_cuts",
    "repeated_shares",
    "rising_rows",
    "rising_sums",
    "rows_by_differences",
    "shapley",
    "share_ratio",
    "sigmoid",
    "silence_instead_of_recency",
    "softplus",
    "sum_of_trees",
    "wilson",
]
