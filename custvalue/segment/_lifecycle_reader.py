"""What every table and sentence over a fitted lifecycle classifier needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue import _frames
from custvalue._labels import Language, check_language, translate, translate_if_known
from custvalue._sklearn import check_is_fitted
from custvalue._units import Span
from custvalue.exceptions import NotSupportedError
from custvalue.segment import _lifecycle_evidence as reading
from custvalue.segment._lifecycle_words import stage_names
from custvalue.segment._stages import (
    RULE_STAGE,
    VIEW,
    VIEW_OF,
    Evidence,
    StageThresholds,
    deciding_rule,
)


class StageReader:
    """What a fitted classifier knows, and how its stages become columns of a table."""

    labels: str
    view: str
    unit_: str | None
    problem_ceiling: float
    min_stay: Span | None
    columns: Any
    columns_: tuple[str, ...]
    classes_: npt.NDArray[Any]
    stage_shares_: npt.NDArray[np.float64]
    thresholds_: StageThresholds
    tree_: Any
    learned_from_: tuple[str, ...]
    may_lack_: frozenset[str]
    predict: Any
    _evidence: Any
    _values: Any
    _for_learning: Any
    _rule_ids: Any

    def _language(self, labels: str | None) -> Language:
        """Language of a table, of a classifier that is fitted."""
        check_is_fitted(self, "classes_")
        return check_language(labels or self.labels)

    def _needs_rules(self, what: str) -> None:
        if hasattr(self, "tree_"):
            raise NotSupportedError(
                f"{what} reads the written rules; this classifier learned its own from y. "
                "Fit another one without y for it."
            )

    def _names(self, view: str, labels: str) -> list[str]:
        if hasattr(self, "tree_"):
            return [str(name) for name in in_language(self.classes_, labels)]
        return list(dict.fromkeys(stage_names(view, labels)))

    def _codes(self, X: Any, view: str, labels: str) -> tuple[npt.NDArray[np.intp], list[str]]:
        """Place of every customer's stage in the list of names, and the list."""
        names = self._names(view, labels)
        if hasattr(self, "tree_"):
            return np.searchsorted(self.classes_, self.predict(X)).astype(np.intp), names
        stage = RULE_STAGE[self._rule_ids(X)]
        return (VIEW_OF[stage] if len(names) == len(VIEW) else stage).astype(np.intp), names

    def _rule_ids_of(self, evidence: Evidence) -> npt.NDArray[np.int8]:
        return deciding_rule(evidence, self.thresholds_)

    def _id_column(self, X: Any) -> dict[str, Any]:
        ids = reading.customer_ids(X)
        return {} if ids is None else {ids[0]: ids[1]}

    def _table_like(
        self, X: Any, columns: dict[str, Any], labels: str, *, kind: str, rows_of_X: bool = True
    ) -> Any:
        ids = self._id_column(X) if rows_of_X else {}
        named = {
            name if name in ids else translate(name, labels): values
            for name, values in columns.items()
        }
        table = _frames.frame_like(X, named) if rows_of_X else _frames.new_table(X, named)
        return _frames.keep_facts(X, table, kind=kind)


def in_language(stages: npt.NDArray[Any], labels: str) -> npt.NDArray[Any]:
    """Known stage names in the language asked for; the user's own names as they are."""
    if labels == "en":
        return stages
    return np.array([translate_if_known(str(stage), labels) for stage in stages], dtype=object)
