"""What every estimator of a law answers: parameters, how sure they are, scores, itself as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from custvalue._fitted import FitReport, check_level
from custvalue._open_table import Table
from custvalue._portable import check_names, number, reading, sealed, unseal
from custvalue._sklearn import DocLink, check_is_fitted
from custvalue._typing import Floats
from custvalue._units import days_per
from custvalue._warn import warn_caller
from custvalue._words import check_language
from custvalue._work import check_count, sample_size
from custvalue.exceptions import (
    ArtefactError,
    BoundaryFitWarning,
    FitFailedError,
    InSampleWarning,
    NotSupportedError,
    SmallSampleWarning,
)
from custvalue.likelihood._by_row import LawByRow
from custvalue.likelihood._effect_table import effect_table
from custvalue.likelihood._effects import ColumnsAsked, Effects, columns_asked, stated_effects
from custvalue.likelihood._fit import FittedLaw, Penalty, fit_law, profile
from custvalue.likelihood._groups import FittedGroups, RowsByGroup
from custvalue.likelihood._law import Law, Units

if TYPE_CHECKING:
    import pandas as pd


ENOUGH = 5_000  # rows that say where a search with columns begins
# settings that speak of columns of customers, and what they are where there are none
_NO_COLUMNS: dict[str, Any] = {
    "purchase_columns": None,
    "leave_columns": None,
    "spend_columns": None,
    "equal_columns": None,
    "ridge": 0.0,
    "missing": "raise",
}


class LawModel(DocLink, BaseEstimator):
    """Base of the estimators of a law: they read a table, ``fit_law`` and remember one value.

    A kind of model names its ``law`` and the ``columns`` it reads, and says in ``_rows`` how a
    table becomes the rows of the law.

    Attributes
    ----------
    fitted_ : FittedLaw
        All that a fit leaves.
    params_ : NamedTuple
        Its parameters.

    Examples
    --------
    >>> from custvalue.likelihood import LawModel
    >>> from custvalue.purchase import NBD
    >>> from custvalue.spend import GammaGamma
    >>> issubclass(NBD, LawModel), issubclass(GammaGamma, LawModel)
    (True, True)
    """

    law: ClassVar[Any]
    columns: ClassVar[tuple[str, ...]]
    law_by_row: ClassVar[type[LawByRow]] = LawByRow
    fitted_: FittedLaw

    @property
    def params_(self) -> Any:
        """The fitted parameters, in the data's units; of a fit by group the common ones."""
        return self.fitted_.params

    # ---- groups ----------------------------------------------------------------------------------

    def of_group(self, name: Any) -> Self:
        """Make the plain model of one group of a fit by group.

        Parameters
        ----------
        name : str, int or bool
            As in the column of the groups.

        Returns
        -------
        estimator
            With the group's parameters; it asks for no column of groups any more.

        Raises
        ------
        ValueError
            If the fit had no such group, unless unseen ones have the common parameters.
        NotSupportedError
            If the model was not fitted by group.
        """
        groups = self._groups("of_group")
        model = type(self)(**self.get_params(deep=False))
        model.fitted_ = groups.law_of(name, self.fitted_)
        model.n_features_in_ = len(self.columns)
        model.feature_names_in_ = np.asarray(list(self.columns), dtype=object)
        return model

    def group_table(self) -> pd.DataFrame:
        """Tell of each group its customers and parameters, and how far these are its own.

        Returns
        -------
        DataFrame
            Index: the group as text, and ``"(common)"``. ``customers``; a column a parameter;
            ``own_weight``: the share of the parameters that comes from the group's own customers,
            the rest comes from all groups; ``small``: whether it has fewer than 50 customers.

        Raises
        ------
        NotSupportedError
            If the model was not fitted by group.
        """
        return self._groups("group_table").table(self.fitted_)

    def _groups(self, method: str) -> FittedGroups:
        check_is_fitted(self, "params_")
        groups: FittedGroups | None = self.fitted_.groups
        if groups is None:
            raise NotSupportedError(
                f"{method} speaks of groups, and this {type(self).__name__} was fitted without: "
                'fit(X, by="country") fits one law with parameters by group.'
            )
        return groups

    def _plain(self, method: str) -> None:
        """Refuse what speaks of one set of parameters where there is one a group."""
        check_is_fitted(self, "params_")
        groups = self.fitted_.groups
        if groups is not None:
            raise NotSupportedError(
                f"{method} speaks of one set of parameters, and this {type(self).__name__} has one "
                f"for each {groups.by}: ask model.of_group(name).{method}(...)."
            )

    def _params_of_rows(self, table: Table) -> Any:
        """Parameters of a table's rows: one set for all, or one a group."""
        check_is_fitted(self, "params_")
        groups = self.fitted_.groups
        return self.params_ if groups is None else groups.at(table, self.fitted_)

    # ---- what a kind of model says ---------------------------------------------------------------

    def _rows(self, X: Any, sample_weight: Any = None) -> Any:
        """Rows of the law of a table that is read after ``fit``."""
        raise NotImplementedError

    def _score_by_group(self, X: Any, sample_weight: Any) -> float:
        """Mean log-likelihood of a table whose rows have their group's parameters."""
        raise NotImplementedError

    def _penalty(self) -> Penalty | None:
        """Log density of what is known of the parameters beforehand."""
        return None

    def _columns_asked(self) -> ColumnsAsked:
        """Columns of customers that this model is to read, checked."""
        names = self._get_param_names()
        options = {name: getattr(self, name) for name in _NO_COLUMNS if name in names}
        if all(v is None for name, v in options.items() if name.endswith("_columns")):
            return ColumnsAsked({})
        return columns_asked(self.law, options, type(self).__name__)

    def _settings(self) -> dict[str, Any]:
        """Give the settings that ``from_params`` takes, as plain values."""
        return dict(self.get_params(deep=False))

    @classmethod
    def _from_settings(cls, plain: dict[str, Any]) -> dict[str, Any]:
        """Turn plain values into the settings that ``from_params`` takes."""
        names = cls._get_param_names()
        of_columns = {k: v for k, v in _NO_COLUMNS.items() if k in names}
        if not of_columns.keys() & plain.keys():  # written before there were any
            plain = {**plain, **of_columns}
        check_names(plain, names, "settings")
        columns_asked(cls.law, {k: plain[k] for k in of_columns}, cls.__name__)
        return plain

    def _columns_written(self) -> dict[str, Any]:
        """Write the settings that speak of columns as plain values."""
        found = {k: getattr(self, k) for k in _NO_COLUMNS if k in self._get_param_names()}
        return {
            k: list(v) if k.endswith("_columns") and v is not None else v for k, v in found.items()
        }

    # ---- fitting ---------------------------------------------------------------------------------

    def _learn(
        self,
        rows: Any,
        unit: str | None = None,
        notes: list[str] | None = None,
        by_customer: tuple[Effects, Any] | None = None,
        grouped: tuple[RowsByGroup, list[Any]] | None = None,
    ) -> Self:
        """Fit the law to rows and say where that ended on a boundary.

        Parameters
        ----------
        rows : Rows
        unit : str or None
        notes : list of str
        by_customer : (Effects, RowsOfCustomers), optional
            Columns that move the law's parameters, and the same rows with them.
        grouped : (RowsByGroup, list of Rows or None), optional
            Groups that have parameters of their own, and the rows of each.
        """
        how: dict[str, Any] = {"unit": unit, "notes": notes or ()}
        if grouped is not None:
            self._learn_groups(rows, *grouped, how)
        elif by_customer is None:
            self.fitted_ = fit_law(self.law, rows, penalty=self._penalty(), **how)
        else:
            self.fitted_ = self._learn_by_row(rows, *by_customer, how)
        report = self.fitted_.report
        if report.boundary:
            undefined = ", ".join(report.undefined) or "no parameter"
            at = self.law.shown(self.params_)
            warn_caller(
                f"{self.law.name} ended on a boundary: {'; '.join(report.boundary)} ({at}). "
                f"Forecasts are usable; standard errors of {undefined} are undefined. "
                f"{self.law.seen(report.facts)}",
                BoundaryFitWarning,
            )
        return self

    def _learn_by_row(
        self, rows: Any, effects: Effects, with_columns: Any, how: dict[str, Any]
    ) -> FittedLaw:
        """Fit without the columns first, and go on from there."""
        few = rows if rows.size < 2 * ENOUGH else rows.part(ENOUGH)  # a place to begin
        try:
            first = fit_law(self.law, few, penalty=self._penalty()).params
        except FitFailedError:
            first = None
        law = self.law_by_row.of(self.law, effects, self.law.units(rows), first)
        penalty = law.penalty(self._penalty(), self._columns_asked().ridge)
        found = fit_law(law, with_columns, penalty=penalty, **how)
        params, effects = law.split(found.params)
        return FittedLaw(params, self.law.dimensions, found.report, found.unit, effects)

    def _fitted_law(self, rows: Any = None) -> Law:
        """Give the law of the fitted values: with columns one of more parameters."""
        if self.fitted_.effects is None:
            law: Law = self.law
            return law
        units = Units() if rows is None else self.law.units(rows.rows)
        return self.law_by_row.of(self.law, self.fitted_.effects, units)

    def _fitted_penalty(self, law: Law) -> Penalty | None:
        if isinstance(law, LawByRow):
            return law.penalty(self._penalty(), self._columns_asked().ridge)
        return self._penalty()

    def _refuse_both(self, wanted: ColumnsAsked) -> None:
        if wanted.by_process:
            raise NotSupportedError(
                f"{type(self).__name__} takes columns that move the parameters, or parameters by "
                "group, not both: leave by= out and name the group among the columns, or name none."
            )

    def _learn_groups(
        self, rows: Any, grouping: RowsByGroup, parts: list[Any], settings: dict[str, Any]
    ) -> None:
        from custvalue.likelihood._group_fit import fit_groups

        self.fitted_ = fit_groups(
            self.law, rows, grouping, parts, penalty=self._penalty(), **settings
        )
        self.n_features_in_: int = len(self.columns) + 1
        names: Any = getattr(self, "feature_names_in_", self.columns)
        self.feature_names_in_ = np.asarray([*names, grouping.by], dtype=object)
        small = self.fitted_.groups.small
        if small:
            warn_caller(
                f"{len(small):,} of {len(grouping.names):,} groups of {grouping.by!r} have fewer "
                f"than 50 customers: {', '.join(map(repr, small[:8]))}"
                f"{' ...' if len(small) > 8 else ''}. Their parameters are mostly those of all; "
                "group_table() says how far.",
                SmallSampleWarning,
            )

    @classmethod
    def from_params(cls, **values: Any) -> Self:
        """Make a model with given parameters, ready to forecast, for example published ones.

        Parameters
        ----------
        **values
            All parameters of the law, by name, positive; any of the constructor's settings besides
            (``unit`` is that of the parameters). ``effects`` says what columns do, by process: a
            coefficient a column of numbers, or one a category, the first with 0.0 (the base):
            ``{"purchase": {"age": 0.02, "plan": {"basic": 0.0, "pro": 0.4}}}``.

        Returns
        -------
        estimator

        Raises
        ------
        ValueError
            If a parameter is missing, unknown or not positive, or an effect is not of this law.
        """
        settings = {k: values.pop(k) for k in cls._get_param_names() if k in values}
        stated = values.pop("effects", None)
        good = all(isinstance(v, Real) and 0.0 < float(v) < np.inf for v in values.values())
        if set(values) != set(cls.law.names) or not good:
            got = ", ".join(f"{k}={v!r}" for k, v in values.items())
            raise ValueError(
                f"{cls.__name__}.from_params wants {', '.join(cls.law.names)}, each positive and "
                f"finite; got {got}."
            )
        if settings.get("unit") is not None:
            days_per(settings["unit"])
        effects = None
        if stated is not None and not isinstance(stated, Effects):
            equal, missing = settings.get("equal_columns") or (), settings.get("missing", "raise")
            effects = stated_effects(cls.law, stated, equal, missing)
            for process, each in stated.items():
                settings[f"{process}_columns"] = list(map(str, each))
        elif stated is not None:
            effects = stated
        model = cls(**settings)
        if effects is None and model._columns_asked().by_process:
            raise ValueError(
                f"{cls.__name__}.from_params: say what the columns do, "
                "effects={process: {column: coefficient}}."
            )
        params = cls.law.params(**{k: float(v) for k, v in values.items()})
        names = (*cls.law.names, *(() if effects is None else effects.names))
        report, unit = FitReport.of_given(names), settings.get("unit")
        model.fitted_ = FittedLaw(params, cls.law.dimensions, report, unit, effects)
        model.n_features_in_ = len(cls.columns) + (0 if effects is None else len(effects.columns))
        return model

    def with_params(self, **moved: float) -> Self:
        """Make the same model with some parameters moved, as given ones.

        Parameters
        ----------
        **moved : float
            By name, as in ``fitted_.names``; the others stay.

        Returns
        -------
        estimator

        Examples
        --------
        >>> from custvalue.purchase import NBD
        >>> NBD.from_params(r=1.0, alpha=5.0, unit="W").with_params(r=2.0).params_
        NBDParams(r=2.0, alpha=5.0)
        """
        self._plain("with_params")
        settings = self.get_params(deep=False)
        if "unit" in settings:
            settings["unit"] = self.fitted_.unit
        fitted = self.fitted_
        params = fitted.params._asdict()
        effects = fitted.effects
        if effects is not None:
            factors = dict(zip(effects.names, effects.values, strict=True))
            factors |= {k: float(np.log(moved.pop(k))) for k in [*moved] if k in factors}
            settings["effects"] = effects.moved(list(factors.values()))
        return self.from_params(**settings, **{**params, **moved})

    # ---- how sure --------------------------------------------------------------------------------

    def fit_report(self) -> FitReport:
        """How the fit ended: status, boundary, log-likelihood, gradient norm, data facts.

        Returns
        -------
        FitReport
        """
        check_is_fitted(self, "params_")
        return self.fitted_.report

    def covariance(self) -> pd.DataFrame:
        """Return the covariance of the logs of the parameters; NaN where it is not defined.

        Returns
        -------
        DataFrame of shape (n_parameters, n_parameters)
        """
        import pandas as pd

        check_is_fitted(self, "params_")
        names = list(self.fitted_.names)
        return pd.DataFrame(self.fitted_.covariance, index=names, columns=names)

    def standard_errors(self) -> pd.Series:
        """Take standard errors of the parameters from the observed information.

        They are for large samples; how far a parameter may lie off says ``confidence_interval``.

        Returns
        -------
        Series
            By parameter; NaN for those named in ``fit_report().undefined``: on a boundary, or given
            by the user, they have none.
        """
        import pandas as pd

        errors = self._spread() * self.fitted_.values
        return pd.Series(errors, index=list(self.fitted_.names), name="standard_error")

    def effect_table(self, level: float = 0.95, *, language: str = "en") -> pd.DataFrame:
        """Tell what each column of customers does, as a factor with its interval and in words.

        Parameters
        ----------
        level : float, default=0.95
            Of the intervals, which come from the observed information.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            One row an encoded column: ``process``, ``column``, ``category`` and ``base`` (of
            categories), ``coefficient``, ``standard_error``, ``factor`` (its exponential: how many
            times as often, as soon, as much; of a unit of a number), ``lower``, ``upper``,
            ``p_value`` (of no effect), ``words``. No row where no columns count.

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from custvalue.purchase import NBD
        >>> who = pd.DataFrame({"plan": np.tile(["basic", "pro"], 500)})
        >>> told = {"purchase": {"plan": {"basic": 0.0, "pro": 0.4}}}
        >>> truth = NBD.from_params(r=1.0, alpha=8.0, effects=told)
        >>> X = truth.sample_histories(1000, T=30.0, customers=who, random_state=0)
        >>> NBD(purchase_columns=["plan"]).fit(X).effect_table()["words"][0]
        'plan = pro (against basic): customers order 47 % more often (95 % interval +28 % to +70 %)'
        """
        check_is_fitted(self, "params_")
        return effect_table(self.fitted_, check_level(level), check_language(language))

    def parameter_draws(
        self, n: int, random_state: int | np.random.Generator | None = None
    ) -> Floats:
        """Draw parameters from their large-sample law (normal in logs).

        Parameters
        ----------
        n : int
        random_state : int, Generator or None, default=None

        Returns
        -------
        ndarray of shape (n, n_parameters)
            Of a fit on a boundary, given the parameters that its search held at the edge.

        Raises
        ------
        ValueError
            If the parameters were given: equal draws would pretend that they are certain.
        """
        if self.fit_report().status == "given":
            raise ValueError(
                f"this {type(self).__name__} was made from parameters, so nothing is known of how "
                "sure they are; fit it to draw them."
            )
        rng = np.random.default_rng(random_state)
        centre = np.log(self.fitted_.values)
        return np.exp(rng.multivariate_normal(centre, self.fitted_.spread, size=n, method="eigh"))

    def bootstrap(
        self,
        X: Any,
        n_draws: int = 100,
        *,
        sample_weight: npt.ArrayLike | None = None,
        random_state: int | np.random.Generator | None = None,
    ) -> pd.DataFrame:
        """Refit on resampled customers; equal rows are drawn as one row with a weight.

        Parameters
        ----------
        X : table or array
            The rows the model was fitted on: a fitted model keeps none.
        n_draws : int, default=100
        sample_weight : array-like of shape (n_rows,), optional
        random_state : int or Generator, optional

        Returns
        -------
        DataFrame of shape (n_draws, n_parameters)
        """
        import pandas as pd

        self._plain("bootstrap")
        rng, n_draws = np.random.default_rng(random_state), check_count("n_draws", n_draws, 1)
        rows = self._rows(X, sample_weight)
        law = self._fitted_law(rows)
        penalty, start = self._fitted_penalty(law), self.fitted_.values
        sample_size(rows.n)
        draws = [
            fit_law(law, rows.drawn(rng), penalty=penalty, start=start).params
            for _ in range(n_draws)
        ]
        return pd.DataFrame(draws, columns=list(self.fitted_.names))

    def confidence_interval(
        self, X: Any, level: float = 0.95, *, sample_weight: npt.ArrayLike | None = None
    ) -> pd.DataFrame:
        """Estimate and likelihood-ratio interval of each parameter.

        A value lies inside where the best likelihood of all fits with that value comes near enough
        to the highest. In small samples of MBG/NBD and Pareto/NBD the likelihood is lopsided, and
        intervals from its curvature (Wald's: estimate and some ``standard_errors``) that say 95 %
        hold the truth in 76 to 90 of 100. This one follows the likelihood itself, by some thirty
        fits a parameter.

        Parameters
        ----------
        X : table or array
            The rows the model was fitted on: a fitted model keeps none.
        level : float, default=0.95
        sample_weight : array-like of shape (n_rows,), optional

        Returns
        -------
        DataFrame
            Index ``parameter``; columns ``estimate``, ``lower``, ``upper``, ``note``: why an end is
            0 or infinity, or why there is no interval; else empty.

        References
        ----------
        Venzon, D. J. & Moolgavkar, S. H. (1988), A method for computing profile-likelihood-based
        confidence intervals, Applied Statistics 37(1), 87-94.

        Examples
        --------
        >>> from custvalue.purchase import NBD
        >>> X = NBD.from_params(r=1.0, alpha=5.0).sample_histories(200, T=20.0, random_state=0)
        >>> NBD().fit(X).confidence_interval(X).round(2)
                   estimate  lower  upper note
        parameter
        r              1.09   0.84   1.42
        alpha          4.98   3.66   6.68
        """
        import pandas as pd

        self._plain("confidence_interval")
        level, report = check_level(level), self.fit_report()
        names, given = self.fitted_.names, report.status == "given"
        if given:
            ends, notes = np.full((len(names), 2), np.nan), ["given, not estimated"] * len(names)
        else:
            rows = self._rows(X, sample_weight)
            law, values = self._fitted_law(rows), self.fitted_.values
            ends = profile(law, rows, values, level, self._fitted_penalty(law))
            why = f"no end: {'; '.join(report.boundary) or 'the likelihood hardly falls'}"
            notes = [why if low == 0.0 or np.isinf(high) else "" for low, high in ends]
        return pd.DataFrame(
            {
                "estimate": self.fitted_.values,
                "lower": ends[:, 0],
                "upper": ends[:, 1],
                "note": notes,
            },
            index=pd.Index(names, name="parameter"),
        )

    def score(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> float:
        """Mean log-likelihood per customer of whom the law says something; higher is better.

        Parameters
        ----------
        X : table or array
        y : None
            Ignored.
        sample_weight : array-like of shape (n_rows,), optional

        Returns
        -------
        float

        Warns
        -----
        InSampleWarning
            If these are the rows the model was fitted on.
        """
        rows, facts = self._rows(X, sample_weight), self.fit_report().facts
        if facts:
            here = self._fitted_law().facts(rows)
            if all(
                np.isclose(here.get(k, np.nan), v, rtol=1e-9, atol=0.0) for k, v in facts.items()
            ):
                warn_caller(
                    "scored on the rows it was fitted on, which flatters it: it says how well the "
                    "model describes them, not how well it forecasts. Score a later period or "
                    "other customers.",
                    InSampleWarning,
                )
        if self.fitted_.groups is not None:
            return self._score_by_group(X, sample_weight)
        values = self._fitted_law().log_likelihoods(self.fitted_.values, rows)
        return float(np.average(values, weights=rows.w))

    # ---- as JSON ---------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Everything about the fitted model as plain JSON values; no customer's row.

        Returns
        -------
        dict
        """
        check_is_fitted(self, "params_")
        effects, groups = self.fitted_.effects, self.fitted_.groups
        return sealed(
            type(self).__name__,
            settings=self._settings(),
            params={k: float(v) for k, v in self.params_._asdict().items()},
            report=self.fitted_.report.to_dict(),
            **({} if effects is None else {"effects": effects.to_dict()}),
            **({} if groups is None else {"groups": groups.to_dict()}),
        )

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Inverse of ``to_dict``; called on a base class it finds the model by its name.

        Parameters
        ----------
        plain : dict

        Returns
        -------
        estimator

        Raises
        ------
        ArtefactError
            If the dictionary is broken, was changed since it was written, holds another model, or
            has a schema that this version does not read. It is a ``ValueError``.
        """
        name = plain.get("model") if isinstance(plain, Mapping) else None
        kind: Any = cls if cls.__name__ == name else _by_name(cls, str(name))
        if kind is None and isinstance(plain, Mapping):
            raise ArtefactError(f"the dictionary holds {name!r:.80}, not {cls.__name__}.")
        with reading(cls.__name__):
            more = [name for name in ("effects", "groups") if name in plain]
            keys = ["settings", "params", "report", *more]
            plain = unseal(plain, schemas=(1, 2), keys=keys)
            if not isinstance(plain["params"], dict) or not isinstance(plain["settings"], dict):
                raise ArtefactError("params and settings must be dictionaries.")
            params = {k: number(v, f"parameter {k}") for k, v in plain["params"].items()}
            settings = kind._from_settings(plain["settings"])
            if doubled := {*params} & {*settings}:
                raise ArtefactError(f"{', '.join(sorted(doubled))} stands twice.")
            if "effects" in plain:
                settings["effects"] = Effects.from_dict(plain["effects"], kind.law)
            model: Self = kind.from_params(**params, **settings)
            report = FitReport.from_dict(plain["report"])
            if len(report.log_covariance) != len(model.fitted_.names):
                raise ArtefactError("log_covariance is not of these parameters.")
            if unknown := {*report.undefined} - {*model.fitted_.names}:
                raise ArtefactError(f"the report speaks of {', '.join(sorted(unknown))}.")
            model.fitted_ = replace(model.fitted_, report=report)
            if "groups" in plain:
                groups = FittedGroups.from_dict(plain["groups"], model.fitted_)
                model.fitted_ = replace(model.fitted_, groups=groups)
                model.n_features_in_ += 1
        return model

    def _spread(self) -> Floats:
        return np.asarray(np.sqrt(np.diag(self.fitted_.covariance)))


def _by_name(cls: Any, name: str) -> Any:
    for kind in cls.__subclasses__():
        if kind.__name__ == name:
            return kind
        found = _by_name(kind, name)
        if found is not None:
            return found
    return None
