"""What is read of each customer's stage, and the rules themselves in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue import _frames
from custvalue._dates import read_day
from custvalue._labels import check_language, translate
from custvalue._units import days_per
from custvalue.segment._lifecycle_reader import StageReader, in_language
from custvalue.segment._lifecycle_words import (
    leaf_words,
    rule_words,
    stage_names,
    translated,
    unused_rules,
)
from custvalue.segment._playbook import playbook
from custvalue.segment._stage_time import SINCE_IS, TIMING, WANTS, progress, wants_words, windows
from custvalue.segment._stages import RULE_STAGE, RULES, STAGES


class StageTables(StageReader):
    """Methods of LifecycleClassifier about single customers and about the rules."""

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
        language = self._language(labels)
        columns = self._id_column(X)
        if hasattr(self, "tree_"):
            leaf = self.tree_.apply(self._for_learning(self._values(X))[0])
            words = leaf_words(self.tree_, self.learned_from_, self.unit_, language, self.may_lack_)
            sentence = np.empty(max(words) + 1, dtype=object)
            sentence[list(words)] = list(words.values())
            place = np.argmax(self.tree_.tree_.value[leaf, 0], axis=1)
            columns["stage"] = in_language(self.classes_, language)[place]
            columns["rule"] = sentence[leaf]
            columns["source"] = np.full(len(leaf), translate("learned", language), dtype=object)
        else:
            rule = self._rule_ids(X)
            names = stage_names(view or self.view, language)
            sources = _words([rule_.source for rule_ in RULES], language)
            columns["stage"] = _frames.words_at(X, names, RULE_STAGE[rule])
            columns["rule"] = _frames.words_at(X, rule_words(self.thresholds_, language), rule)
            columns["source"] = _frames.words_at(X, sources, rule)
        return self._table_like(X, columns, language, kind="stages")

    def rules_table(self, *, labels: str | None = None) -> Any:
        """Every rule in order of precedence: its stage, words, source, and whether it is used.

        Parameters
        ----------
        labels : {"en", "zh"} or None
            Language; None for the estimator's own.

        Returns
        -------
        DataFrame
            ``order``, ``stage``, ``rule``, ``source``, ``used``: a rule is not used where the table
            that was fitted lacks its column. Of a learned tree one row a leaf.
        """
        language = self._language(labels)
        if hasattr(self, "tree_"):
            words = leaf_words(self.tree_, self.learned_from_, self.unit_, language, self.may_lack_)
            leaf_class = self.classes_[np.argmax(self.tree_.tree_.value[:, 0], axis=1)]
            stages = list(in_language(leaf_class, language)[list(words)])
            rules, sources, used = (
                list(words.values()),
                ["learned"] * len(words),
                [True] * len(words),
            )
        else:
            names = stage_names(self.view, language)
            stages = [names[rule.stage] for rule in RULES]
            rules = rule_words(self.thresholds_, language)
            sources = [rule.source for rule in RULES]
            unused = unused_rules(self.columns_)
            used = [rule.code not in unused for rule in RULES]
        return translated(
            pd.DataFrame(
                {
                    "order": np.arange(1, len(rules) + 1),
                    "stage": stages,
                    "rule": rules,
                    "source": [translate(source, language) for source in sources],
                    "used": used,
                }
            ),
            language,
        )

    def rules_text(self, *, labels: str | None = None) -> str:
        """Print the rules as sentences, one a line, in order of precedence.

        Parameters
        ----------
        labels : {"en", "zh"} or None
            Language; None for the estimator's own.

        Returns
        -------
        str
            As :meth:`rules_table`; rules without their column are marked as not used.
        """
        language = check_language(labels or self.labels)
        colon = ": " if language == "en" else "："
        note = translate(" (not used: no such column)", language)
        table = self.rules_table(labels=language)
        return "\n".join(
            f"{stage}{colon}{rule}{'' if used else note}"
            for _, stage, rule, _, used in table.itertuples(index=False)
        )

    def upgrade_table(
        self, X: Any, *, as_of: Any = None, labels: str | None = None, view: str | None = None
    ) -> Any:
        """Where each customer stands within the stage, and what is missing for the next.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        as_of : date or None
            End of observation; None for what the table states. Without one there are times in the
            stage, but no dates.
        labels : {"en", "zh"} or None
            Language of this table; None for the estimator's own.
        view : {"eight", "four"} or None
            View of this table; None for the estimator's own.

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            The customer where ``X`` states one; ``stage``; ``stage_since`` (date, missing where
            unknown) and ``since_is`` (exact, estimated, unknown: a summary does not hold the date
            of the order that made a customer established, a CRM flag has no date);
            ``time_in_stage`` and the stage's usual window ``window_from`` to ``window_to`` in the
            unit of ``X``; ``timing`` (early, due, overdue, no window); ``next_stage``;
            ``orders_missing``, ``span_missing`` (unit of ``X``); ``wants`` in words.

        Raises
        ------
        NotSupportedError
            If the stages were learned from labels: a tree has no next stage.
        """
        language = self._language(labels)
        self._needs_rules("upgrade_table")
        names = [*stage_names(view or self.view, language), ""]  # code -1 is the empty last
        evidence = self._evidence(X)
        rule = self._rule_ids_of(evidence)
        stage = RULE_STAGE[rule]
        at = progress(evidence, rule, self.thresholds_)
        low, high = np.full(len(STAGES), np.nan), np.full(len(STAGES), np.nan)
        for code, (start, end) in windows(self.thresholds_).items():
            low[code], high[code] = start, end
        columns = self._id_column(X)
        columns["stage"] = _frames.words_at(X, names, stage)
        clock = _frames.clock_of(X)
        as_of = as_of if as_of is not None else (clock.as_of or None if clock else None)
        if as_of is not None and self.unit_ is not None:
            columns["stage_since"] = _days_before(as_of, at.since * days_per(self.unit_))
        columns |= {
            "since_is": _frames.words_at(X, _words(SINCE_IS, language), at.since_is),
            "time_in_stage": at.since,
            "window_from": low[stage],
            "window_to": high[stage],
            "timing": _frames.words_at(X, _words(TIMING, language), at.timing),
            "next_stage": _frames.words_at(X, names, at.next_stage),
            "orders_missing": at.orders_missing,
            "span_missing": at.span_missing,
            "wants": _frames.words_at(
                X,
                wants_words(_words(WANTS, language), ", " if language == "en" else "、"),
                at.wants,
            ),
        }
        return self._table_like(X, columns, language, kind="upgrades")

    def playbook(self, *, labels: str | None = None, view: str | None = None) -> Any:
        """Value message and next step of every stage; see :func:`custvalue.segment.playbook`.

        Parameters
        ----------
        labels : {"en", "zh"} or None
            Language; None for the estimator's own.
        view : {"eight", "four"} or None
            None for the estimator's own.

        Returns
        -------
        DataFrame
        """
        return playbook(labels=labels or self.labels, view=view or self.view)


def _words(words: Sequence[str], labels: str) -> list[str]:
    return [translate(word, labels) for word in words]


def _days_before(as_of: Any, days: npt.NDArray[np.float64]) -> npt.NDArray[np.datetime64]:
    """Dates that lie the given number of days before ``as_of``; NaT where days are NaN."""
    end = read_day(as_of).astype("datetime64[ms]")
    out = np.full(days.shape, np.datetime64("NaT"), dtype="datetime64[ms]")
    known = ~np.isnan(days)
    whole = end - np.round(days[known] * 86_400_000).astype("timedelta64[ms]")
    out[known] = whole.astype("datetime64[D]")
    return out
