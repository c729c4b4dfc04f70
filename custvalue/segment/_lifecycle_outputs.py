"""What people read from a staged customer base: tables and sentences over a fitted classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue import _frames
from custvalue._labels import ZH, check_language, translate
from custvalue._sklearn import check_is_fitted
from custvalue.segment import _lifecycle_evidence as reading
from custvalue.segment._lifecycle_words import leaf_words, rule_words, stage_names
from custvalue.segment._stages import RULE_STAGE, RULES, StageThresholds


class StageOutputs:
    """Methods of LifecycleClassifier that turn stages into tables and words."""

    labels: str
    view: str
    unit_: str | None
    classes_: npt.NDArray[Any]
    thresholds_: StageThresholds
    tree_: Any
    learned_from_: tuple[str, ...]
    may_lack_: frozenset[str]
    _values: Any
    _for_learning: Any
    _rule_ids: Any

    def stage_table(self, X: Any, *, labels: str | None = None, view: str | None = None) -> Any:
        """Stage of every customer with the rule that decided.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        labels : {"en", "zh"} or None
            Language of this table; None for the estimator's own.
        view : {"eight", "four"} or None
            View of this table; None for the estimator's own.

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            The customer column where ``X`` states one, then ``stage``, ``rule`` (in words) and
            ``source`` (orders, crm, model or learned); same rows, order and index.
        """
        check_is_fitted(self, "classes_")
        labels = check_language(labels or self.labels)
        view = view or self.view
        out: dict[str, Any] = {}
        ids = reading.customer_ids(X)
        if ids is not None:
            out[ids[0]] = ids[1]
        if hasattr(self, "tree_"):
            values = self._for_learning(self._values(X))[0]
            leaf = self.tree_.apply(values)
            words = leaf_words(self.tree_, self.learned_from_, self.unit_, labels, self.may_lack_)
            sentence = np.empty(max(words) + 1, dtype=object)
            sentence[list(words)] = list(words.values())
            stage = self.classes_[np.argmax(self.tree_.tree_.value[leaf, 0], axis=1)]
            out[translate("stage", labels)] = _in_language(stage, labels)
            out[translate("rule", labels)] = sentence[leaf]
            learned = np.full(len(leaf), translate("learned", labels), dtype=object)
            out[translate("source", labels)] = learned
        else:
            rule = self._rule_ids(X)
            names = np.array(stage_names(view, labels), dtype=object)
            sources = [translate(r.source, labels) for r in RULES]
            out[translate("stage", labels)] = names[RULE_STAGE[rule]]
            out[translate("rule", labels)] = np.array(
                rule_words(self.thresholds_, labels), dtype=object
            )[rule]
            out[translate("source", labels)] = np.array(sources, dtype=object)[rule]
        return _frames.keep_facts(X, _frames.frame_like(X, out), kind="stages")

    def rules_text(self, *, labels: str | None = None) -> str:
        """Print the rules as sentences, one a line, in order of precedence.

        Parameters
        ----------
        labels : {"en", "zh"} or None
            Language; None for the estimator's own.

        Returns
        -------
        str
            Written rules with their thresholds (and which are unused for want of a column), or
            the learned tree's leaves.
        """
        check_is_fitted(self, "classes_")
        language = check_language(labels or self.labels)
        colon = ": " if language == "en" else "："
        if hasattr(self, "tree_"):
            words = leaf_words(self.tree_, self.learned_from_, self.unit_, language, self.may_lack_)
            stage = self.classes_[np.argmax(self.tree_.tree_.value[:, 0], axis=1)]
            named = _in_language(stage, language)
            return "\n".join(f"{named[leaf]}{colon}{text}" for leaf, text in words.items())
        names = stage_names(self.view, language)
        return "\n".join(
            f"{names[rule.stage]}{colon}{text}"
            for rule, text in zip(RULES, rule_words(self.thresholds_, language), strict=True)
        )


def _in_language(stages: npt.NDArray[Any], labels: str) -> npt.NDArray[Any]:
    """Known stage names in the language asked for; the user's own names as they are."""
    if labels == "en":
        return stages
    return np.array([ZH.get(str(stage), stage) for stage in stages], dtype=object)
