"""Whether the larger of two fits of one law says more than chance would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from custvalue.likelihood._effects import Term
from custvalue.likelihood._model import LawModel

ROUNDING = 1e-6  # of a likelihood ratio, a customer


@dataclass(frozen=True)
class LikelihoodRatio:
    """What ``lr_test`` found.

    Parameters
    ----------
    statistic : float
        Twice the gain in log-likelihood.
    df : int
        Parameters that the larger fit has more.
    p_value : float
        How often chance alone gains as much (chi-square).
    added : tuple of str
        Parameters of the larger fit that the smaller lacks.
    note : str
        What makes the p-value doubtful; else empty.

    Examples
    --------
    >>> from custvalue.likelihood._lr_test import LikelihoodRatio
    >>> print(LikelihoodRatio(7.4, 2, 0.0247, ("purchase:age", "leave:age")))
    purchase:age, leave:age say more than chance would: likelihood ratio 7.40 on 2 degrees of \
freedom, p = 0.025.
    """

    statistic: float
    df: int
    p_value: float
    added: tuple[str, ...]
    note: str = ""

    def __str__(self) -> str:
        said = "say more than chance would" if self.p_value < 0.05 else "may say nothing"
        rest = f" {self.note}" if self.note else ""
        return (
            f"{', '.join(self.added)} {said}: likelihood ratio {self.statistic:.2f} on {self.df} "
            f"degrees of freedom, p = {self.p_value:.2g}.{rest}"
        )


def lr_test(small: Any, large: Any) -> LikelihoodRatio:
    """Test two fits of one law on the same customers, the columns of one among the other's.

    Parameters
    ----------
    small, large : fitted estimators of one law
        ``small`` without columns, with some of the columns of ``large``, or with one coefficient
        in both processes where ``large`` has two.

    Returns
    -------
    LikelihoodRatio
        ``statistic``, ``df``, ``p_value``, ``added``, ``note``; printed it is a sentence.

    Raises
    ------
    TypeError
        If one is no estimator of a law.
    ValueError
        If the laws differ, parameters were given, fits were pulled by a prior or a ridge, the
        customers differ, or ``small`` is no part of ``large``.

    References
    ----------
    Wilks, S. S. (1938), The large-sample distribution of the likelihood ratio for testing composite
    hypotheses, Annals of Mathematical Statistics 9(1), 60-62.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from custvalue.likelihood import lr_test
    >>> from custvalue.purchase import NBD
    >>> who = pd.DataFrame({"age": np.linspace(20.0, 60.0, 400)})
    >>> truth = NBD.from_params(r=1.0, alpha=8.0, effects={"purchase": {"age": 0.02}})
    >>> X = truth.sample_histories(400, T=30.0, customers=who, random_state=0)
    >>> print(lr_test(NBD().fit(X), NBD(purchase_columns=["age"]).fit(X)))
    purchase:age say more than chance would: likelihood ratio 14.15 on 1 degrees of freedom, \
p = 0.00017.
    """
    from scipy.special import chdtrc

    for model in (small, large):
        if not isinstance(model, LawModel):
            raise TypeError(f"{type(model).__name__} is no estimator of a law of custvalue.")
        if model.fit_report().status == "given":
            raise ValueError(f"this {type(model).__name__} was made from parameters: fit it.")
        if model._penalty() is not None or model._columns_asked().ridge > 0.0:
            raise ValueError(
                f"this {type(model).__name__} was pulled by a prior or a ridge, so its likelihood "
                "is not the highest; fit it without."
            )
    if small.law is not large.law:
        raise ValueError(
            f"{small.law.name} and {large.law.name} are two laws, neither inside the other for "
            "this test; compare fit_report().aic or bic."
        )
    one, other = small.fit_report(), large.fit_report()
    if not _same(one.facts, other.facts):
        raise ValueError("small and large were not fitted on the same customers.")
    added = _added(small.fitted_, large.fitted_)
    df = other.n_parameters - one.n_parameters
    gain = 2.0 * (other.log_likelihood - one.log_likelihood)
    note = ""
    if "boundary" in (one.status, other.status):
        note = "A fit ended on a boundary, where the p-value is too large."
    if gain < -ROUNDING * one.n_customers:
        note = "The larger fit is the worse one: its search ended on another summit."
    return LikelihoodRatio(gain, df, float(chdtrc(df, max(gain, 0.0))), added, note)


def _same(one: dict[str, float], other: dict[str, float]) -> bool:
    return one.keys() == other.keys() and all(
        np.isclose(other[k], v, rtol=1e-9, atol=0.0) for k, v in one.items()
    )


def _added(small: Any, large: Any) -> tuple[str, ...]:
    """Names that the larger fit has more; refused where the smaller is no part of it."""
    have = [term for fitted in (small, large) for term in _terms(fitted)]
    few, many = set(_terms(small)), set(_terms(large))
    for term in few - many:
        apart = {Term((process,), term.label) for process in term.processes}
        if len(term.processes) < 2 or not apart <= many:
            raise ValueError(
                f"{term.name} of small is not in large ({', '.join(t.name for t in many) or 'no '}"
                "columns): one must hold the other."
            )
    added = tuple(dict.fromkeys(term.name for term in have if term in many - few))
    if not added:
        raise ValueError("small and large have the same columns: there is nothing to test.")
    return added


def _terms(fitted: Any) -> tuple[Term, ...]:
    return () if fitted.effects is None else tuple(fitted.effects.terms)
