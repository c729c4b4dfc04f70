"""A fitted law against its data: counts, holdout by group, traits, spend, repeats over age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from custvalue._frames import column, with_time_scale
from custvalue._units import Span
from custvalue._words import Language
from custvalue.plotting import _style
from custvalue.plotting._display import Display

if TYPE_CHECKING:
    import pandas as pd

MOST_AGES = 60  # times observed that expected counts are made of; more are put together
By = Literal["frequency", "recency", "T"]
_AXES = {
    "frequency": "repeat orders so far",
    "recency": "last order, time since the first one",
    "T": "time since the first order",
}
_TRAITS = {
    "order_rate": "orders per unit of time",
    "order_chance": "chance of an order at an opportunity",
    "dropout": "chance of leaving, or rate of it",
}


def _in_time(span: float, unit: str | None) -> Any:
    """Write a span of a model's unit as its methods take it."""
    return span if unit is None else f"{span!r}{unit}"


def _new_customer(model: Any) -> pd.DataFrame:
    """History of a customer who has just placed the first order."""
    import pandas as pd

    row = pd.DataFrame({"frequency": [0.0], "recency": [0.0], "T": [0.0]})
    return with_time_scale(row, getattr(model, "unit_", None))


def count_table(model: Any, X: Any, *, max_count: int = 7) -> pd.DataFrame:
    """Count customers by number of repeat orders, as seen and as a fitted law expects them.

    Parameters
    ----------
    model : fitted purchase model
    X : summary
    max_count : int, default=7
        The last row is of so many orders or more.

    Returns
    -------
    DataFrame
        ``count``, ``actual``, ``expected``.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.plotting._laws import count_table
    >>> from custvalue.purchase import NBD
    >>> X = pd.DataFrame({"frequency": [0.0, 2.0], "recency": [0.0, 3.0], "T": [5.0, 5.0]})
    >>> count_table(NBD.from_params(r=1.0, alpha=5.0), X, max_count=1).round(2)
       count  actual  expected
    0      0       1       1.0
    1      1       1       1.0
    """
    import pandas as pd

    x, T = (np.asarray(column(X, name), dtype=float) for name in ("frequency", "T"))
    ages, where = np.unique(T, return_inverse=True)
    if len(ages) > MOST_AGES:  # customers of about the same age are taken together, by its mean
        order = np.argsort(T, kind="stable")
        where = np.empty(len(T), dtype=np.intp)
        where[order] = np.arange(len(T)) * MOST_AGES // len(T)
        ages = np.bincount(where, weights=T) / np.bincount(where)
    share = np.bincount(where).astype(float)
    row, unit = _new_customer(model), getattr(model, "unit_", None)
    expected = np.zeros(max_count + 1)
    for age, customers in zip(ages, share, strict=True):
        chance = model.predict_pmf(row, horizon=_in_time(float(age), unit), n_max=max_count - 1)[0]
        expected[:-1] += customers * chance
    expected[-1] = len(x) - expected[:-1].sum()
    actual = np.bincount(np.minimum(x, max_count).astype(np.intp), minlength=max_count + 1)
    return pd.DataFrame({"count": np.arange(max_count + 1), "actual": actual, "expected": expected})


class CountDisplay(Display):
    """Customers by number of repeat orders: as seen, and as the law expects them.

    Parameters
    ----------
    table : DataFrame
        ``count``, ``actual``, ``expected``; the last row is of so many or more.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import CountDisplay
    >>> CountDisplay.from_predictions([0, 1, 2], [50, 20, 9], [48.0, 21.0, 10.0]).table.shape
    (3, 3)
    """

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        max_count: int = 7,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted purchase model and a summary: the rows of the fit, or other customers."""
        return cls(count_table(estimator, X, max_count=max_count), language=language).plot(ax)

    @classmethod
    def from_predictions(
        cls, count: Any, actual: Any, expected: Any, *, language: Language = "en", ax: Any = None
    ) -> Self:
        """From numbers of customers by count."""
        import pandas as pd

        table = pd.DataFrame(
            {"count": np.asarray(count), "actual": np.asarray(actual), "expected": expected}
        )
        return cls(table, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        count = self.table["count"].to_numpy(dtype=float)
        ax.bar(
            count, self.table["actual"], width=0.62, color=_style.BAR, label=self._word("actual")
        )
        ax.plot(
            count,
            self.table["expected"],
            color=_style.ORANGE,
            marker="o",
            linestyle="none",
            label=self._word("expected"),
        )
        names = [f"{int(c)}" for c in count]
        ax.set_xticks(count, [*names[:-1], f"{names[-1]}+"])
        ax.set_xlabel(self._word("repeat orders"))
        ax.set_ylabel(self._word("customers"))
        _style.plain_numbers(ax.yaxis)
        ax.legend(frameon=False)
        _style.quiet_axes(ax)


def holdout_table(
    values: Any, actual: Any, predicted: Any, *, n_groups: int = 8, counts: bool = False
) -> pd.DataFrame:
    """Mean outcome and mean forecast of customers with like values, smallest first.

    Parameters
    ----------
    values : array-like of shape (n_customers,)
        What was known of each customer, such as the number of repeat orders.
    actual, predicted : array-like of shape (n_customers,)
    n_groups : int, default=8
        At most so many groups, as equal as ties let them be: equal values stay together.
    counts : bool, default=False
        Whether values are counts from 0 on: each has a group, the last of it and all above.

    Returns
    -------
    DataFrame
        ``low``, ``high``, ``n_customers``, ``actual_mean``, ``predicted_mean``.

    Examples
    --------
    >>> from custvalue.plotting._laws import holdout_table
    >>> holdout_table([0, 0, 0, 2], [0, 1, 2, 5], [1, 1, 1, 4], n_groups=2)
       low  high  n_customers  actual_mean  predicted_mean
    0  0.0   0.0            3          1.0             1.0
    1  2.0   2.0            1          5.0             4.0
    """
    import pandas as pd

    known = np.asarray(values, dtype=float)
    each, where, size = np.unique(known, return_inverse=True, return_counts=True)
    middle = (np.cumsum(size) - 0.5 * size) / len(known)  # of the customers, up to each value
    place = np.minimum((middle * n_groups).astype(np.intp), n_groups - 1)
    if counts:
        place = np.minimum(each, n_groups - 1).astype(np.intp)
    elif len(each) <= n_groups:
        place = np.arange(len(each))
    table = pd.DataFrame(
        {
            "group": place[where],
            "value": known,
            "actual": np.asarray(actual, dtype=float),
            "predicted": np.asarray(predicted, dtype=float),
        }
    )
    return (
        table.groupby("group")
        .agg(
            low=("value", "min"),
            high=("value", "max"),
            n_customers=("value", "size"),
            actual_mean=("actual", "mean"),
            predicted_mean=("predicted", "mean"),
        )
        .reset_index(drop=True)
    )


class HoldoutDisplay(Display):
    """What customers did after a date and what was forecast, by what was known of them then.

    Parameters
    ----------
    table : DataFrame
        ``low``, ``high``, ``n_customers``, ``actual_mean``, ``predicted_mean``.
    by : {"frequency", "recency", "T"}, default="frequency"
    what : str, default="orders per customer"
        What was forecast, with its unit.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import HoldoutDisplay
    >>> HoldoutDisplay.from_predictions([0, 0, 3], [0, 1, 4], [0.4, 0.4, 3.5]).table["low"].tolist()
    [0.0, 3.0]
    """

    def __init__(
        self,
        table: Any,
        *,
        by: By = "frequency",
        what: str = "orders per customer",
        language: Language = "en",
    ) -> None:
        super().__init__(table, language=language)
        if by not in _AXES:
            raise ValueError(f"by={by!r} must be one of {', '.join(map(repr, _AXES))}.")
        self.by = by
        self.what = what

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        actual: Any,
        *,
        horizon: Span | None = None,
        by: By = "frequency",
        n_groups: int = 8,
        what: str = "orders per customer",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted model, the summary at a date, and what each row did in ``horizon``."""
        said = estimator.predict(X, horizon=horizon)
        return cls.from_predictions(
            column(X, by), actual, said, by=by, n_groups=n_groups, what=what, language=language,
            ax=ax,
        )  # fmt: skip

    @classmethod
    def from_predictions(
        cls,
        values: Any,
        actual: Any,
        predicted: Any,
        *,
        by: By = "frequency",
        n_groups: int = 8,
        what: str = "orders per customer",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From what was known, what came, and what was forecast, one entry a customer."""
        counts = by == "frequency"
        table = holdout_table(values, actual, predicted, n_groups=n_groups, counts=counts)
        return cls(table, by=by, what=what, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        at = np.arange(len(self.table))
        ax.plot(at, self.table["actual_mean"], "-o", color=_style.INK, label=self._word("actual"))
        ax.plot(
            at,
            self.table["predicted_mean"],
            "--s",
            color=_style.ORANGE,
            label=self._word("forecast"),
        )
        ends = self.table[["low", "high"]].to_numpy(dtype=float)
        names = [f"{low:g}" if low == high else f"{low:.3g}-{high:.3g}" for low, high in ends]
        ax.set_xticks(at, names)
        ax.tick_params(axis="x", labelrotation=30 if len(names) > 6 else 0)
        ax.set_xlabel(self._word(_AXES[self.by]))
        ax.set_ylabel(self._word(self.what))
        ax.set_ylim(bottom=0)
        ax.legend(frameon=False)
        _style.quiet_axes(ax)


class TraitDisplay(Display):
    """How a trait differs between customers by the law: density of order rate or of dropout.

    Parameters
    ----------
    table : DataFrame
        ``value``, ``density``.
    trait : {"order_rate", "order_chance", "dropout"}, default="order_rate"
    unit : str, default=""
        Unit of time of a rate.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import TraitDisplay
    >>> from custvalue.purchase import MBGNBD
    >>> model = MBGNBD.from_params(r=2.0, alpha=4.0, a=1.0, b=3.0, unit="W")
    >>> table = TraitDisplay.from_estimator(model, trait="dropout").table
    >>> table.shape, bool((table["density"] >= 0).all())
    ((201, 2), True)
    """

    def __init__(
        self,
        table: Any,
        *,
        trait: Literal["order_rate", "order_chance", "dropout"] = "order_rate",
        unit: str = "",
        language: Language = "en",
    ) -> None:
        super().__init__(table, language=language)
        self.trait = trait
        self.unit = unit

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        trait: Literal["order_rate", "order_chance", "dropout"] = "order_rate",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted purchase model: one of the gamma and beta laws over its customers."""
        from scipy.stats import beta, gamma

        known = {m.what: m for m in estimator.law.mixing}
        if trait not in known:
            raise ValueError(f"trait={trait!r} must be one of {', '.join(map(repr, known))}.")
        m = known[trait]
        first, second = (getattr(estimator.params_, name) for name in (m.first, m.second))
        law = (
            gamma(first, scale=1.0 / (second * m.per)) if m.kind == "gamma" else beta(first, second)
        )
        # a density may have no bound at an end: all but the outermost customers are drawn
        low, high = law.ppf([0.05, 0.99])
        value = np.linspace(low, high, 201)
        unit = getattr(estimator, "unit_", None) or ""
        return cls.from_predictions(
            value, law.pdf(value), trait=trait, unit=unit, language=language, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        value: Any,
        density: Any,
        *,
        trait: Literal["order_rate", "order_chance", "dropout"] = "order_rate",
        unit: str = "",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a density at values of the trait."""
        import pandas as pd

        table = pd.DataFrame(
            {"value": np.asarray(value, float), "density": np.asarray(density, float)}
        )
        return cls(table, trait=trait, unit=unit, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        value, density = self.table["value"], self.table["density"]
        ax.plot(value, density, color=_style.BLUE, linewidth=2.0)
        ax.fill_between(value, density, color=_style.BLUE, alpha=0.12, linewidth=0)
        text = self._word(_TRAITS[self.trait])
        unit = _style.UNITS.get(self.unit, self.unit)
        ax.set_xlabel(
            f"{text} ({self._word(unit)})" if unit and self.trait == "order_rate" else text
        )
        ax.set_ylabel(self._word("density of customers"))
        ax.set_ylim(bottom=0)
        _style.quiet_axes(ax)


class SpendDisplay(Display):
    """Mean spend of customers: as seen, and as the law of spend has it.

    Parameters
    ----------
    table : DataFrame
        ``low``, ``high`` of each class of amounts, and in it the density of customers, ``actual``
        and ``expected``.
    unit : str, default="money"
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import SpendDisplay
    >>> SpendDisplay.from_predictions([0, 10, 20], [0.06, 0.04], [0.05, 0.03]).table.shape
    (2, 4)
    """

    def __init__(self, table: Any, *, unit: str = "money", language: Language = "en") -> None:
        super().__init__(table, language=language)
        self.unit = unit

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        n_bins: int = 30,
        unit: str = "money",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted ``GammaGamma`` and a summary: customers with a repeat order.

        The law's density is that of the mean of as many orders as each customer has placed; the
        dearest hundredth of customers lies beyond the picture.
        """
        law, params = estimator.law, estimator.params_
        if law.log_likelihood is None:
            raise ValueError(f"{type(estimator).__name__} states no density of spend.")
        x, mean = (np.asarray(column(X, n), dtype=float) for n in ("frequency", "monetary_value"))
        some = (x > 0) & (mean > 0)
        x, mean = x[some], mean[some]
        edges = np.linspace(0.0, float(np.quantile(mean, 0.99)), n_bins + 1)
        width, middle = np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
        actual = np.histogram(mean, edges)[0] / (len(mean) * width)
        count, customers = np.unique(x, return_counts=True)
        density = np.exp(law.log_likelihood(*params, count[:, None], middle))
        expected = (customers @ density) / len(mean)
        return cls.from_predictions(edges, actual, expected, unit=unit, language=language, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        edges: Any,
        actual: Any,
        expected: Any,
        *,
        unit: str = "money",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From edges of classes of amounts and the densities between them."""
        import pandas as pd

        ends = np.asarray(edges, dtype=float)
        table = pd.DataFrame(
            {"low": ends[:-1], "high": ends[1:], "actual": actual, "expected": expected}
        )
        return cls(table, unit=unit, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        low, high = self.table["low"].to_numpy(float), self.table["high"].to_numpy(float)
        ax.bar(
            low, self.table["actual"], width=high - low, align="edge", color=_style.BAR, alpha=0.7,
            label=self._word("actual"),
        )  # fmt: skip
        ax.plot(
            0.5 * (low + high),
            self.table["expected"],
            color=_style.ORANGE,
            linewidth=2.0,
            label=self._word("expected"),
        )
        ax.set_xlabel(f"{self._word('mean spend of an order')} ({self._word(self.unit)})")
        ax.set_ylabel(self._word("density of customers"))
        _style.plain_numbers(ax.xaxis)
        ax.legend(frameon=False)
        _style.quiet_axes(ax)


class RepeatsDisplay(Display):
    """Repeat orders that a new customer is expected to have placed by each age.

    Parameters
    ----------
    table : DataFrame
        ``age``, ``expected`` and, where known, ``actual``.
    unit : str, default=""
        Unit of age.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import RepeatsDisplay
    >>> from custvalue.purchase import MBGNBD
    >>> model = MBGNBD.from_params(r=0.5, alpha=6.0, a=0.9, b=1.6, unit="W")
    >>> table = RepeatsDisplay.from_estimator(model, until="52W").table
    >>> table.shape, bool((table["expected"].diff().dropna() > 0).all())
    ((53, 2), True)
    """

    def __init__(self, table: Any, *, unit: str = "", language: Language = "en") -> None:
        super().__init__(table, language=language)
        self.unit = unit

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, until: Span, language: Language = "en", ax: Any = None
    ) -> Self:
        """From a fitted purchase model, from the first order up to an age."""
        from custvalue._units import in_units

        unit = getattr(estimator, "unit_", None)
        end = in_units(until, unit, "until")
        age = np.linspace(0.0, end, 53)
        if estimator.law.discrete:
            age = np.arange(0.0, np.floor(end) + 1.0)
        said = [estimator.new_customer(_in_time(float(t), unit)) for t in age]
        return cls.from_predictions(age, said, unit=unit or "", language=language, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        age: Any,
        expected: Any,
        actual: Any = None,
        *,
        unit: str = "",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From expected (and seen) repeat orders a customer by each age."""
        import pandas as pd

        table = pd.DataFrame({"age": np.asarray(age, float), "expected": np.asarray(expected)})
        if actual is not None:
            table["actual"] = np.asarray(actual, dtype=float)
        return cls(table, unit=unit, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        age = self.table["age"]
        if "actual" in self.table:
            ax.plot(age, self.table["actual"], color=_style.INK, label=self._word("actual"))
        ax.plot(
            age,
            self.table["expected"],
            color=_style.ORANGE,
            linewidth=2.0,
            label=self._word("expected"),
        )
        unit = _style.UNITS.get(self.unit, self.unit)
        text = self._word(_AXES["T"])
        ax.set_xlabel(f"{text} ({self._word(unit)})" if unit else text)
        ax.set_ylabel(self._word("repeat orders per customer"))
        ax.set_ylim(bottom=0)
        if "actual" in self.table:
            ax.legend(frameon=False)
        _style.quiet_axes(ax)
