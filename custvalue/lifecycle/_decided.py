"""What decides a customer's stage: the written rules, or rules learned from labelled stages.

Both are immutable values with one set of words, so that the classifier and its tables need not ask
which of the two they hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._portable import check_names
from custvalue._sklearn import tree_from_plain, tree_to_plain
from custvalue._typing import Floats, Places
from custvalue._units import days_per
from custvalue._words import HOUSE, Language
from custvalue._written import from_plain, to_plain
from custvalue.lifecycle import _lifecycle_evidence as reading
from custvalue.lifecycle._lifecycle_words import leaf_words, rule_words, stage_names, unused_rules
from custvalue.lifecycle._stages import (
    POTENTIAL,
    PRESENT,
    PROBLEM,
    RULE_STAGE,
    RULES,
    STAGES,
    VIEW_OF,
    Evidence,
    StageThresholds,
    deciding_rule,
    problem_counts,
)

Told = tuple[Sequence[str], Places]  # words, and which of them each row gets

_LEARNED: dict[str, Any] = {
    "columns": tuple[str, ...],
    "by_name": bool,
    "unit": str | None,
    "names": tuple[str, ...],
    "may_lack": frozenset[str],
    "shares": Floats,
}
_FROM_CRM = np.array([rule.source == "crm" for rule in RULES])


@dataclass(frozen=True)
class StageRules:
    """The written rules with their thresholds, frozen at the fit.

    Parameters
    ----------
    columns : tuple of str
        Known columns that were there.
    by_name : bool
        Whether tables are read by the names of their columns.
    unit : str or None
        Unit of the spans.
    thresholds : StageThresholds
    shares : ndarray of shape (8,)
        Share of the fitted customers in each of the eight stages.
    """

    columns: tuple[str, ...]
    by_name: bool
    unit: str | None
    thresholds: StageThresholds
    shares: Floats

    def check(self) -> None:
        """Refuse parts that do not belong together, with a ``ValueError``."""
        if not {*reading.NEEDED} <= {*self.columns} <= {*reading.KNOWN}:
            raise ValueError(f"the rules need {', '.join(reading.NEEDED)}.")
        if self.unit is not None:
            days_per(self.unit)
        if self.shares.shape != (len(STAGES),) or self.unit != self.thresholds.unit:
            raise ValueError("there must be a share for each stage, and one unit.")
        if self.thresholds.core_irregularity is not None and "gap_std" not in self.columns:
            raise ValueError("irregularity cannot be told without gap_std.")

    absent = POTENTIAL  # the stage of a customer whose orders were all taken back

    def classes(self, view: str, language: Language = "en") -> npt.NDArray[np.object_]:
        """Stages of a view, each once."""
        return np.array(list(dict.fromkeys(stage_names(view, language))), dtype=object)

    def evidence(self, values: Floats, mapping: Mapping[str, str]) -> Evidence:
        """Check what the rules read."""
        found = reading.to_evidence(values, self.columns)
        reading.check_evidence(found, mapping)
        return found

    def rule(self, values: Floats, mapping: Mapping[str, str]) -> npt.NDArray[np.int8]:
        """Which rule decides each row."""
        return deciding_rule(self.evidence(values, mapping), self.thresholds)

    def codes(self, values: Floats, mapping: Mapping[str, str], view: str) -> Places:
        """Place of each row's stage in `classes`."""
        stage = RULE_STAGE[self.rule(values, mapping)]
        return (VIEW_OF[stage] if view == "four" else stage).astype(np.intp)

    def moves(
        self, values: Floats, mapping: Mapping[str, str], view: str
    ) -> tuple[Places, npt.NDArray[np.bool_]]:
        """`codes`, and whether a CRM record says so: then the stage is taken at once."""
        rule = self.rule(values, mapping)
        stage = RULE_STAGE[rule]
        place = VIEW_OF[stage] if view == "four" else stage
        return place.astype(np.intp), _FROM_CRM[rule]

    def problems(self, values: Floats, mapping: Mapping[str, str]) -> tuple[int, int]:
        """Numbers of problem customers and of present ones."""
        stage = RULE_STAGE[self.rule(values, mapping)]
        return int((stage == PROBLEM).sum()), int(PRESENT[stage].sum())

    def told(
        self, values: Floats, mapping: Mapping[str, str], view: str, language: Language
    ) -> dict[str, Told]:
        """Stage, rule and source of each row, in words."""
        rule = self.rule(values, mapping).astype(np.intp)
        names = stage_names(view, language)
        return {
            "stage": (names, RULE_STAGE[rule].astype(np.intp)),
            "rule": (rule_words(self.thresholds, language), rule),
            "source": ([HOUSE(one.source, language) for one in RULES], rule),
        }

    def listed(self, view: str, language: Language) -> dict[str, Sequence[Any]]:
        """Every rule in order of precedence."""
        names, unused = stage_names(view, language), unused_rules(self.columns)
        return {
            "stage": [names[rule.stage] for rule in RULES],
            "rule": rule_words(self.thresholds, language),
            "source": [HOUSE(rule.source, language) for rule in RULES],
            "used": [rule.code not in unused for rule in RULES],
        }


@dataclass(frozen=True)
class LearnedStages:
    """Stages that a shallow tree learned from labels.

    Parameters
    ----------
    columns : tuple of str
        Known columns that were there; empty where an array of unknown columns was learned from.
    by_name : bool
    unit : str or None
    tree : DecisionTreeClassifier
        Fitted.
    names : tuple of str
        What each of the tree's columns is called.
    may_lack : frozenset of str
        Columns that had missing values when the tree learned.
    shares : ndarray of shape (n_classes,)
        Share of the fitted customers in each class.
    """

    columns: tuple[str, ...]
    by_name: bool
    unit: str | None
    tree: Any
    names: tuple[str, ...]
    may_lack: frozenset[str]
    shares: Floats

    def to_plain(self) -> dict[str, Any]:
        """Write it as plain JSON values."""
        parts = {name: to_plain(getattr(self, name)) for name in _LEARNED}
        return {**parts, "tree": tree_to_plain(self.tree)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> LearnedStages:
        """Read what `to_plain` wrote.

        Raises
        ------
        ArtefactError
        """
        check_names(plain, (*_LEARNED, "tree"), "the learned stages")
        parts = {name: from_plain(plain[name], kind, name) for name, kind in _LEARNED.items()}
        return cls(tree=tree_from_plain(plain["tree"]), **parts)

    def check(self) -> None:
        """Refuse parts that do not belong together, with a ``ValueError``."""
        if self.by_name != bool(self.columns):
            raise ValueError("a table that is read by name has columns that are known.")
        if self.unit is not None:
            days_per(self.unit)
        if len(self.names) != self.tree.n_features_in_ or not self.may_lack <= {*self.names}:
            raise ValueError("the tree does not read these columns.")
        if (
            self.columns
            and reading.learning_columns(np.ones((1, len(self.columns))), self.columns)[1]
            != self.names
        ):
            raise ValueError("the tree does not read the columns of this table.")
        if self.shares.shape != self.tree.classes_.shape:
            raise ValueError("there must be a share for each label.")

    absent = None  # a tree knows no stage of those without orders

    def classes(self, view: str, language: Language = "en") -> npt.NDArray[Any]:
        """Give the labels, whatever the view; known ones in the language."""
        labels = self.tree.classes_
        if language == "en":
            return np.asarray(labels)
        return np.array([HOUSE.name(str(label), language) for label in labels], dtype=object)

    def columns_of(self, values: Floats) -> Floats:
        """Give the columns that the tree reads."""
        return reading.learning_columns(values, self.columns)[0] if self.columns else values

    def chances(self, values: Floats) -> Floats:
        """Share of each label in the row's leaf, (n, n_classes)."""
        return np.asarray(self.tree.predict_proba(self.columns_of(values)))

    def codes(self, values: Floats, mapping: Mapping[str, str], view: str) -> Places:
        """Place of each row's stage in `classes`."""
        said = self.tree.predict(self.columns_of(values))
        return np.searchsorted(self.tree.classes_, said).astype(np.intp)

    def moves(
        self, values: Floats, mapping: Mapping[str, str], view: str
    ) -> tuple[Places, npt.NDArray[np.bool_]]:
        """`codes`; none is taken at once."""
        codes = self.codes(values, mapping, view)
        return codes, np.zeros(len(codes), dtype=bool)

    def problems(self, values: Floats, mapping: Mapping[str, str]) -> tuple[int, int]:
        """Numbers of problem customers and of present ones."""
        return problem_counts(self.tree.predict(self.columns_of(values)))

    def told(
        self, values: Floats, mapping: Mapping[str, str], view: str, language: Language
    ) -> dict[str, Told]:
        """Stage, rule and source of each row, in words."""
        leaf = np.asarray(self.tree.apply(self.columns_of(values)), dtype=np.intp)
        words = self._leaf_words(language)
        place = np.argmax(self.tree.tree_.value[leaf, 0], axis=1)
        return {
            "stage": (list(self.classes(view, language)), place),
            "rule": ([words.get(node, "") for node in range(max(words) + 1)], leaf),
            "source": ([HOUSE("learned", language)], np.zeros(len(leaf), dtype=np.intp)),
        }

    def listed(self, view: str, language: Language) -> dict[str, Sequence[Any]]:
        """One rule a leaf."""
        words = self._leaf_words(language)
        stage = self.classes(view, language)[np.argmax(self.tree.tree_.value[:, 0], axis=1)]
        return {
            "stage": list(stage[list(words)]),
            "rule": list(words.values()),
            "source": [HOUSE("learned", language)] * len(words),
            "used": [True] * len(words),
        }

    def _leaf_words(self, language: Language) -> dict[int, str]:
        return leaf_words(self.tree, self.names, self.unit, language, self.may_lack)
