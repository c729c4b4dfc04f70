"""NeedsCoverage: how far each customer's needs are met, layer by layer, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from custvalue import _frames
from custvalue._open_table import open_table
from custvalue._portable import check_names, reading, sealed, texts, unseal
from custvalue._row_check import OnInvalid, flagged
from custvalue._sklearn import DocLink, check_input_features, check_is_fitted, read_columns
from custvalue._typing import Floats
from custvalue._words import SURVEY, Language, check_language
from custvalue.exceptions import nearest
from custvalue.survey._estimate import SCHEMA, settings_to_plain
from custvalue.survey._needs import (
    KINDS,
    LAYERS,
    STAGE_VALUES,
    VALUES,
    Need,
    check_levels,
    read_needs,
    serves_table,
)
from custvalue.survey._needs_stages import stage_rows, weighted_means


class NeedsCoverage(DocLink, TransformerMixin, BaseEstimator):
    """Share of each customer's needs that are met: core, additional and latent.

    A need counts as met by ``min(level / required, 1)``; the coverage of a layer is the mean of
    these, weighted by importance. Core needs must all be met: ``core_full`` is 1 only then.

    Parameters
    ----------
    needs : mapping of str to Need, DataFrame, or None, default=None
        By the name of the column with the customers' levels. A DataFrame has a column ``need`` and
        the fields of `Need`. None takes every column for a core need of equal importance whose
        required level is the highest seen in `fit`.
    serves : frame or None, default=None
        Which kinds of value answer which kinds of need; None for `serves_table`.
    core_additional : float, default=0.5
        Coverage of additional needs from which a customer is served like a core customer (ours).
    strategic_additional : float, default=0.8
        The same of a strategic partner, who also has a latent need met (ours).

    Attributes
    ----------
    needs_ : dict of str to Need
        In use, each with its layer and required level.
    dropped_ : dict of str to str
        Needs that are not in use, with the reason.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.survey import Need, NeedsCoverage
    >>> needs = {"quality": Need(4, 5, "core"), "training": Need(3, 2, "additional")}
    >>> customers = pd.DataFrame({"quality": [5.0, 3.0], "training": [3.0, None]})
    >>> NeedsCoverage(needs=needs).fit(customers).coverage_table(customers)
       core_coverage  core_full  additional_coverage  coverage     asked
    0           1.00        1.0                  1.0      1.00  1.000000
    1           0.75        0.0                  NaN      0.75  0.714286
    """

    def __init__(
        self,
        *,
        needs: Any = None,
        serves: Any = None,
        core_additional: float = 0.5,
        strategic_additional: float = 0.8,
    ) -> None:
        self.needs = needs
        self.serves = serves
        self.core_additional = core_additional
        self.strategic_additional = strategic_additional

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.input_tags.allow_nan = True
        return tags

    # -- learning --

    def fit(self, X: Any, y: Any = None) -> NeedsCoverage:
        """Learn which needs are in use and their required levels.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_needs)
            Level at which each need is met today, 0 or more; NaN where it was not asked.
        y : array-like of shape (n_customers,), optional
            An outcome such as loyalty. A need that nobody voices stays only where meeting it goes
            with a higher outcome.

        Returns
        -------
        NeedsCoverage
            Itself, fitted.

        Raises
        ------
        DataContractError
            If a column is missing or not numeric, or levels are negative.
        ValueError
            If needs, serves or thresholds cannot be.
        """
        if not 0.0 <= self.core_additional <= self.strategic_additional <= 1.0:
            raise ValueError(
                f"core_additional={self.core_additional!r} and strategic_additional="
                f"{self.strategic_additional!r} must be shares, the second not below the first."
            )
        self._serving()
        table = open_table(X)
        given = None if self.needs is None else read_needs(self.needs)
        placed = {} if given is None else {name: need.placed() for name, need in given.items()}
        dropped = {
            name: f"Kano class {given[name].kano}"
            for name, layer in placed.items()
            if given is not None and layer is None
        }
        names = [name for name in placed if name not in dropped]
        if given is not None and not names:
            raise ValueError("every need is dropped by its Kano class.")
        if given is None:
            names = [str(name) for name in table.names or ()]
        levels, named = read_columns(
            self, table, names or ["level"], reset=True, allow_missing=names or ["level"]
        )
        if not named:
            if given is not None and levels.shape[1] != len(names):
                raise ValueError(f"X has {levels.shape[1]} columns for {len(names)} needs.")
            names = names if given is not None else [f"x{j}" for j in range(levels.shape[1])]
        check_levels(levels, names)
        most = np.fmax.reduce(np.nan_to_num(levels), axis=0)
        needs = {}
        for j, name in enumerate(names):
            need = Need(layer="core") if given is None else given[name]
            # nobody has any of it: then whatever is required, it is not met
            required = need.required or float(most[j]) or 1.0
            layer = "core" if given is None else placed[name]
            if y is not None and layer == "latent" and need.layer is need.kano is None:
                r = _together(np.minimum(levels[:, j] / required, 1.0), y)
                if not r > 0:
                    dropped[name] = "nobody voices it, and meeting it does not raise the outcome"
            needs[name] = Need(
                required, need.importance, layer, need.kind, need.kano, need.voiced, need.must
            )
        self.needs_ = {name: need for name, need in needs.items() if name not in dropped}
        self.dropped_ = dropped
        self._used = [j for j, name in enumerate(names) if name in self.needs_]
        return self

    def _serving(self) -> pd.DataFrame:
        if self.serves is None:
            return serves_table()
        serves = pd.DataFrame(self.serves)
        odd = sorted({*map(str, serves.index)} ^ {*KINDS}) + sorted(
            {*map(str, serves.columns)} ^ {*VALUES}
        )
        if odd or not np.isin(serves.to_numpy(), (0, 1)).all():
            raise ValueError(
                "serves must have the six kinds of need as index, the nine kinds of value as "
                "columns, and 0 or 1 in each cell"
                + (f"; at odds: {', '.join(odd)}." if odd else ".")
            )
        return serves.loc[list(KINDS), list(VALUES)]

    # -- of every customer --

    def transform(self, X: Any, *, on_invalid: OnInvalid = "raise") -> Any:
        """Coverage of every customer.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_needs)
        on_invalid : {"raise", "flag"}, default="raise"
            ``"flag"``: bad rows get NaN and a warning, the others their answer.

        Returns
        -------
        ndarray of shape (n_customers, n_columns)
            Columns as `get_feature_names_out`: for each layer that has a need its coverage over
            the needs that were asked (NaN where none was), after the core's ``core_full`` (1 where
            every one asked is met, else 0), then ``coverage`` of all layers together and ``asked``
            (share of all importance that was asked).
        """
        if on_invalid != "raise":
            return flagged(
                self.transform, X, on_invalid=on_invalid, width=len(self.get_feature_names_out())
            )
        met = self._met(X)
        weight, layer = self._importance(), self._layers()
        out = []
        for name in LAYERS:
            inside = layer == name
            if inside.any():
                out.append(weighted_means(met[:, inside], weight[inside]))
                if name == "core":
                    asked = ~np.isnan(met[:, inside])
                    full = (np.where(asked, met[:, inside], 1.0) >= 1.0).all(axis=1)
                    out.append(np.where(asked.any(axis=1), full, np.nan))
        out += [weighted_means(met, weight), (~np.isnan(met)) @ weight / weight.sum()]
        return np.column_stack(out)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Names of `transform`'s columns.

        Parameters
        ----------
        input_features : array-like of str or None
            Not needed; checked where given.

        Returns
        -------
        ndarray of str
            ``core_coverage``, ``core_full``, ``additional_coverage``, ``latent_coverage`` (where a
            layer has needs), ``coverage``, ``asked``.
        """
        check_is_fitted(self, "needs_")
        check_input_features(self, input_features)
        layers = {need.layer for need in self.needs_.values()}
        names = []
        for layer in LAYERS:
            if layer in layers:
                names += [f"{layer}_coverage", *(["core_full"] if layer == "core" else [])]
        return np.array([*names, "coverage", "asked"], dtype=object)

    def _levels(self, X: Any) -> Floats:
        check_is_fitted(self, "needs_")
        names = [str(n) for n in getattr(self, "feature_names_in_", [*self.needs_, *self.dropped_])]
        levels = read_columns(self, X, names, reset=False, allow_missing=names)[0]
        check_levels(levels, names)
        return levels[:, self._used]

    def _met(self, X: Any) -> Floats:
        levels = self._levels(X)
        required = np.array([need.required for need in self.needs_.values()], dtype=np.float64)
        return np.minimum(levels / required, 1.0)

    def _importance(self) -> Floats:
        return np.array([need.importance for need in self.needs_.values()], dtype=np.float64)

    def _layers(self) -> npt.NDArray[Any]:
        return np.array([need.layer for need in self.needs_.values()], dtype=object)

    def coverage_table(self, X: Any, *, language: Language = "en") -> Any:
        """`transform` as a table, with the customer where the table states one.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_needs)
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            Same rows, order and index.
        """
        language = check_language(language)
        columns = self._ids(X)
        values = self.transform(X)
        for name, column in zip(self.get_feature_names_out(), values.T, strict=True):
            columns[SURVEY.name(name, language)] = column
        return _frames.keep_facts(X, _frames.frame_like(X, columns), kind="needs")

    def _ids(self, X: Any) -> dict[str, Any]:
        facts = _frames.facts_of(X)
        if facts is None or facts.customer not in (_frames.column_names(X) or []):
            return {}
        return {facts.customer: _frames.column(X, facts.customer)}

    # -- of every need --

    def work_table(self, X: Any, *, language: Language = "en") -> pd.DataFrame:
        """List what to work on (需求汇总): core needs that are not met, then the widest gaps.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_needs)
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            In the order of work: ``order``, ``need``, ``layer``, ``kind``, ``importance``,
            ``required``, ``level`` (mean of the customers asked), ``met`` (mean), ``unmet``
            (``importance (1 - met)``), ``n`` (customers asked). Needs that nobody was asked about
            come last.
        """
        levels, met = self._levels(X), self._met(X)
        n = (~np.isnan(met)).sum(axis=0)
        mean_met, mean_level = _means(met), _means(levels)
        unmet = self._importance() * (1.0 - mean_met)
        layer = self._layers()
        table = self._needs_frame()
        table["required"] = [need.required for need in self.needs_.values()]
        table |= {"level": mean_level, "met": mean_met, "unmet": unmet, "n": n}
        first = (layer == "core") & (mean_met < 1.0)
        order = np.lexsort((-np.nan_to_num(unmet, nan=-1.0), ~first))
        made = pd.DataFrame(table).iloc[order].reset_index(drop=True)
        made.insert(0, "order", np.arange(1, len(made) + 1))
        return self._said(made, check_language(language))

    def advantage_table(
        self, X: Any, rivals: Mapping[str, Mapping[str, float]], *, language: Language = "en"
    ) -> pd.DataFrame:
        """Where we meet needs better than rivals, and what only we have (独有价值).

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_needs)
            Our levels.
        rivals : mapping of str to mapping of str to float
            By rival, the level of each need; a need left out is at 0.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            One row a rival and need: ``rival``, ``need``, ``layer``, ``kind``, ``importance``,
            ``ours``, ``rival_met``, ``advantage`` (``importance (ours - rival_met)``; adds up to
            the difference of the coverages times all importance), ``only_ours`` (we meet it, no
            rival does). By layer; latent needs that no rival meets come first among the latent,
            then the largest advantage.

        Raises
        ------
        ValueError
            If a rival has a level for an unknown need, or a negative one.
        """
        if not rivals:
            raise ValueError("rivals is empty; give a rival's levels by need.")
        names = list(self.needs_)
        theirs = {}
        for rival, levels in rivals.items():
            for name, level in levels.items():
                if name not in names and name not in self.dropped_:
                    hint = nearest(name, names)
                    raise ValueError(f"rival {rival!r} has an unknown need {name!r}.{hint}")
                if not level >= 0:
                    raise ValueError(f"rival {rival!r}: level {level!r} of {name!r} is below 0.")
            theirs[rival] = np.array([float(levels.get(name, 0.0)) for name in names])
        required = np.array([need.required for need in self.needs_.values()])
        ours = _means(self._met(X))
        nobody = (np.stack(list(theirs.values())) == 0).all(axis=0)
        layer = self._layers()
        parts = []
        for rival, at in theirs.items():
            met = np.minimum(at / required, 1.0)
            advantage = self._importance() * (ours - met)
            columns: dict[str, Any] = {"rival": [rival] * len(names)} | self._needs_frame()
            columns |= {"ours": ours, "rival_met": met, "advantage": advantage}
            columns["only_ours"] = nobody & (ours > 0)
            order = np.lexsort(
                (
                    -np.nan_to_num(advantage, nan=-np.inf),
                    ~(nobody & (layer == "latent")),
                    [LAYERS.index(one) for one in layer],
                )
            )
            parts.append(pd.DataFrame(columns).iloc[order])
        return self._said(pd.concat(parts, ignore_index=True), check_language(language))

    def message_table(
        self, X: Any, *, stage: str | None = None, language: Language = "en"
    ) -> pd.DataFrame:
        """Which kinds of value to speak of: those that answer the needs not met yet.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_needs)
        stage : str or None, default=None
            Lifecycle stage: only the kinds that its message may speak of; None for all nine.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            Best first: ``value_kind``, ``score`` (sum of what is unmet of the needs it answers),
            ``serves`` (the kinds of need that it answers, as used here).

        Raises
        ------
        ValueError
            If the stage is unknown.
        """
        if stage is not None and stage not in STAGE_VALUES:
            hint = nearest(stage, STAGE_VALUES)
            raise ValueError(f"stage={stage!r} must be one of {', '.join(STAGE_VALUES)}.{hint}")
        language = check_language(language)
        serves = self._serving()
        unmet = np.nan_to_num(self._importance() * (1.0 - _means(self._met(X))))
        kinds = [need.kind for need in self.needs_.values()]
        score = unmet @ serves.loc[kinds].to_numpy(dtype=np.float64)
        allowed = list(VALUES) if stage is None else list(STAGE_VALUES[stage])
        rows = [
            {
                "value_kind": value if language == "en" else VALUES[value],
                "score": float(score[list(VALUES).index(value)]),
                "serves": ", ".join(
                    kind if language == "en" else KINDS[kind]
                    for kind in KINDS
                    if serves.loc[kind, value]
                ),
            }
            for value in allowed
        ]
        table = pd.DataFrame(rows).sort_values("score", ascending=False, kind="stable")
        return SURVEY.table(table.reset_index(drop=True), language)

    def stage_table(self, X: Any, stage: Any, *, language: Language = "en") -> Any:
        """Hold each customer's stage against the needs that are met.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_needs)
        stage : array-like of shape (n_customers,) of str
            Stage of each customer, as `LifecycleClassifier` says it (in English).
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            The customer where ``X`` states one, ``stage``, ``stage_by_needs`` (the highest that
            coverage allows: none, established, core or strategic), ``wants`` (what is missing for
            the own stage), ``surplus`` (needs beyond the core that a new customer is served
            already); same rows, order and index.

        Raises
        ------
        ValueError
            If a stage is unknown.
        """
        language = check_language(language)
        stages = np.asarray(stage, dtype=object)
        odd = sorted({str(s) for s in stages} - {*STAGE_VALUES})
        met = self._met(X)
        if odd or stages.shape != (len(met),):
            raise ValueError(
                f"stage must have one of {', '.join(STAGE_VALUES)} for each of {len(met)} customers"
                + (f", not {', '.join(odd)}.{nearest(odd[0], STAGE_VALUES)}" if odd else ".")
            )
        rows = stage_rows(
            met, self.needs_, stages, self.core_additional, self.strategic_additional, language
        )
        columns = self._ids(X) | {
            SURVEY.name(name, language): column for name, column in rows.items()
        }
        return _frames.keep_facts(X, _frames.frame_like(X, columns), kind="needs by stage")

    # -- to keep --

    def to_dict(self) -> dict[str, Any]:
        """Write settings and the needs in use as plain JSON values, without any customer.

        Returns
        -------
        dict
            ``schema``, ``library``, ``model``, ``settings``, ``learned``, ``checksum``.
        """
        check_is_fitted(self, "needs_")
        settings = self.get_params(deep=False)
        if self.needs is not None:
            settings["needs"] = {name: asdict(n) for name, n in read_needs(self.needs).items()}
        if self.serves is not None:
            settings["serves"] = self._serving().astype(int).to_dict()
        named = hasattr(self, "feature_names_in_")
        learned = {
            "needs": {name: asdict(need) for name, need in self.needs_.items()},
            "dropped": dict(self.dropped_),
            "columns": list(map(str, self.feature_names_in_)) if named else None,
            "n_columns": int(self.n_features_in_),
            "used": list(self._used),
        }
        return sealed(
            type(self).__name__,
            SCHEMA,
            settings=settings_to_plain(settings),
            learned=settings_to_plain(learned),
        )

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> NeedsCoverage:
        """Fitted again from `to_dict`.

        Parameters
        ----------
        plain : mapping

        Returns
        -------
        NeedsCoverage

        Raises
        ------
        ArtefactError
            If the dictionary holds another model, a schema that this version does not read, or
            anything that was changed after it was written.
        """
        with reading(cls.__name__):
            plain = unseal(
                plain, schemas=(SCHEMA,), keys=("settings", "learned"), model=cls.__name__
            )
            settings, learned = plain["settings"], plain["learned"]
            check_names(settings, cls._get_param_names(), "settings")
            check_names(learned, ("needs", "dropped", "columns", "n_columns", "used"), "learned")
            if settings["needs"] is not None:
                settings["needs"] = {k: Need(**need) for k, need in settings["needs"].items()}
            if settings["serves"] is not None:
                settings["serves"] = pd.DataFrame(settings["serves"])
            made = cls(**settings)
            made._serving()
            made.needs_ = read_needs({k: Need(**need) for k, need in learned["needs"].items()})
            made.dropped_ = dict(learned["dropped"])
            made.n_features_in_ = learned["n_columns"]
            if learned["columns"] is not None:
                made.feature_names_in_ = np.array(texts(learned["columns"], "columns"), object)
            made._used = [int(place) for place in learned["used"]]
            if len(made._used) != len(made.needs_):
                raise ValueError("the needs in use do not fit their columns.")
            return made

    def _needs_frame(self) -> dict[str, Any]:
        return {
            "need": list(self.needs_),
            "layer": list(self._layers()),
            "kind": [need.kind for need in self.needs_.values()],
            "importance": self._importance(),
        }

    def _said(self, table: pd.DataFrame, language: Language) -> pd.DataFrame:
        if language == "zh":
            table = table.assign(kind=[KINDS[kind] for kind in table["kind"]])
        return SURVEY.table(table, language, cells=("layer",))


def _means(values: Floats) -> Floats:
    """Mean of each column over the rows asked; NaN where none was."""
    known = ~np.isnan(values)
    n = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.divide(total, n, out=np.full(values.shape[1], np.nan), where=n > 0)


def _together(met: Floats, y: Any) -> float:
    """Correlation of meeting a need with the outcome; 0 where either does not vary."""
    outcome = np.asarray(y, dtype=np.float64)
    known = ~np.isnan(met) & ~np.isnan(outcome)
    a, b = met[known], outcome[known]
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
