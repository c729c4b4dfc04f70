"""The one door to scikit-learn's private or version-dependent names.

Rooms import scikit-learn's documented names directly and everything else from here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from sklearn.utils import metaestimators, validation
from sklearn.utils._set_output import _get_output_config

from custvalue import _frames
from custvalue._kernels import MOST_LEAVES, SmallTree
from custvalue._open_table import Table, open_table
from custvalue._portable import array_from_plain, array_to_plain, check_names, number
from custvalue._typing import Floats
from custvalue.exceptions import ArtefactError, NotSupportedError

__all__ = [
    "DocLink",
    "available_if",
    "boosted_trees",
    "check_input_features",
    "check_is_fitted",
    "output_template",
    "read_columns",
    "read_vectors",
    "tree_from_plain",
    "tree_to_plain",
    "validate_data",
    "weights_of",
]


_Method = TypeVar("_Method", bound=Callable[..., Any])


def check_is_fitted(estimator: Any, attribute: str | None = None) -> None:
    """scikit-learn's ``check_is_fitted``, at once where the one attribute asked for is there."""
    if attribute is None or not hasattr(estimator, attribute):
        validation.check_is_fitted(estimator, attribute)


def validate_data(estimator: Any, X: Any = "no_validation", *more: Any, **options: Any) -> Any:
    """scikit-learn's ``validate_data``, for tables and arrays that hold numbers.

    Raises
    ------
    DataContractError
        If a table has columns of text or dates, such as a log that was not summarised.
    """
    if isinstance(X, np.ma.MaskedArray):  # scikit-learn would read what is masked
        X = np.ma.filled(X.astype(np.float64), np.nan)
    _frames.refuse_words(X, type(estimator).__name__)
    return validation.validate_data(estimator, X, *more, **options)


class DocLink:
    """Mixin: the link that scikit-learn's HTML diagram shows points to our documentation."""

    _doc_link_module = "custvalue"

    @property
    def _doc_link_template(self) -> str:
        room = ".".join(type(self).__module__.split(".")[:2])
        return f"https://custvalue.readthedocs.io/api/{room}.{type(self).__name__}.html"


def available_if(check: Callable[[Any], Any]) -> Callable[[_Method], _Method]:
    """scikit-learn's ``available_if``: the method is there where ``check`` of its owner says so."""
    return cast("Callable[[_Method], _Method]", metaestimators.available_if(check))


def boosted_trees(model: Any) -> tuple[list[SmallTree], float, Callable[[Floats], Floats]] | None:
    """Trees of a gradient boosting by histograms, what they start from, and the inverse link.

    Returns
    -------
    trees, start, inverse : list of SmallTree, float, callable
        The prediction (a classifier's chance of its second class) is the inverse of start plus the
        leaves. None where it is another model, has trees of many leaves or several a step, or
        splits by categories.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    if type(model) not in (HistGradientBoostingClassifier, HistGradientBoostingRegressor):
        return None
    if model.n_trees_per_iteration_ != 1:
        return None
    trees = [_small_tree(one.nodes) for (one,) in model._predictors]
    if any(tree is None for tree in trees):
        return None
    start = float(np.ravel(model._baseline_prediction)[0])
    return [tree for tree in trees if tree is not None], start, model._loss.link.inverse


_NODES = (
    "left_child", "right_child", "feature", "threshold", "impurity", "n_node_samples",
    "weighted_n_node_samples", "missing_go_to_left",
)  # fmt: skip
_TREE_SETTINGS = ("max_depth", "ccp_alpha", "random_state")


def tree_to_plain(model: Any) -> dict[str, Any]:
    """Write a fitted ``DecisionTreeClassifier`` of one label as plain JSON values.

    Raises
    ------
    NotSupportedError
        If it was grown with a random generator in place of a seed.
    """
    state, labels = model.tree_.__getstate__(), np.asarray(model.classes_)
    settings = {name: getattr(model, name) for name in _TREE_SETTINGS}
    if not all(value is None or isinstance(value, (int, float)) for value in settings.values()):
        raise NotSupportedError(f"{settings} has no plain form; give plain values and a seed.")
    return {
        "settings": settings,
        "labels": array_to_plain(labels.astype(str) if labels.dtype == object else labels),
        "objects": labels.dtype == object,
        "n_features": int(model.n_features_in_),
        "depth": int(state["max_depth"]),
        "nodes": {name: array_to_plain(state["nodes"][name]) for name in _NODES},
        "values": array_to_plain(state["values"]),
    }


def tree_from_plain(plain: Any) -> Any:
    """Read a ``DecisionTreeClassifier``; every node is checked before scikit-learn walks it.

    Its compiled code takes places and columns as they stand, and would read foreign memory.

    Raises
    ------
    ArtefactError
    """
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.tree._tree import Tree

    keys = ("settings", "labels", "objects", "n_features", "depth", "nodes", "values")
    check_names(plain, keys, "a tree")
    check_names(plain["settings"], _TREE_SETTINGS, "settings of a tree")
    check_names(plain["nodes"], _NODES, "nodes of a tree")
    labels = array_from_plain(plain["labels"], "labels of a tree")
    # the threshold of a split by what is missing is endless, that of a leaf none
    nodes = {n: array_from_plain(plain["nodes"][n], n, finite=False) for n in _NODES}
    values = array_from_plain(plain["values"], "values of a tree").astype(np.float64)
    n_features, depth = (int(number(plain[name], name)) for name in ("n_features", "depth"))
    if not (labels.ndim == 1 and len(labels) and n_features >= 1 and 0 <= depth <= len(values)):
        raise ArtefactError("a tree needs labels and columns, and is no deeper than its nodes.")
    _check_nodes(nodes, n_features)
    if values.shape != (len(nodes["feature"]), 1, len(labels)) or (values < 0.0).any():
        raise ArtefactError("a tree needs a share of each label at each node.")
    model = DecisionTreeClassifier(**plain["settings"])
    model.classes_ = labels.astype(object) if plain["objects"] is True else labels
    model.n_classes_, model.n_outputs_ = np.intp(len(labels)), 1
    model.n_features_in_ = model.max_features_ = n_features
    model.tree_ = Tree(n_features, np.array([len(labels)], dtype=np.intp), 1)
    made = np.zeros(len(values), dtype=model.tree_.__getstate__()["nodes"].dtype)
    for name, column in nodes.items():
        made[name] = column
    model.tree_.__setstate__(
        {"max_depth": depth, "node_count": len(values), "nodes": made, "values": values}
    )
    return model


def _check_nodes(nodes: dict[str, npt.NDArray[Any]], n_features: int) -> None:
    """Refuse nodes that are no binary tree from the first one down."""
    n = len(nodes["feature"])
    if not n or any(column.shape != (n,) for column in nodes.values()):
        raise ArtefactError("the nodes of a tree must be columns of one length, one or more.")
    left, right, feature = (nodes[name] for name in ("left_child", "right_child", "feature"))
    if any(column.dtype.kind != "i" for column in (left, right, feature)):
        raise ArtefactError("places and columns of a tree must be whole numbers.")
    split = left != -1
    below = np.concatenate([left[split], right[split]])
    own = np.concatenate([np.flatnonzero(split)] * 2)
    # a child stands behind its parent and has one: no way leads out or round
    if (right[~split] != -1).any() or (below <= own).any() or (below >= n).any():
        raise ArtefactError("a node of the tree leads out of it.")
    if len(below) != n - 1 or len(np.unique(below)) != n - 1:
        raise ArtefactError("every node of a tree but the first has one that leads to it.")
    if ((feature[split] < 0) | (feature[split] >= n_features)).any():
        raise ArtefactError(f"the tree is split by a column beyond its {n_features}.")


def _small_tree(nodes: npt.NDArray[Any]) -> SmallTree | None:
    """Tree of scikit-learn's nodes; None where it is none that ``SmallTree`` can be."""
    leaf = nodes["is_leaf"].astype(bool)
    if leaf.sum() > MOST_LEAVES or nodes["is_categorical"][~leaf].any():
        return None
    splits: list[tuple[int, float, int]] = []
    values: list[float] = []

    def walk(at: int) -> None:
        node = nodes[at]
        if leaf[at]:
            values.append(float(node["value"]))
            return
        first = len(values)
        walk(int(node["left"]))
        left = (1 << len(values)) - (1 << first)
        splits.append((int(node["feature_idx"]), float(node["num_threshold"]), left))
        walk(int(node["right"]))

    walk(0)
    feature, threshold, left = zip(*splits, strict=True) if splits else ((), (), ())
    return SmallTree(
        np.array(feature, dtype=np.int64),
        np.array(threshold, dtype=np.float64),
        np.array(left, dtype=np.int64),
        np.array(values),
    )


def output_template(estimator: Any, X: Any) -> Any:
    """Table whose kind a transformer's output takes: that of ``X``, or pandas where that is asked.

    After ``set_output(transform="pandas")`` scikit-learn would turn a polars frame with text into
    pandas columns of objects; made as pandas in the first place, every column keeps its type.
    """
    asked = _get_output_config("transform", estimator)["dense"]
    return None if asked == "pandas" and not hasattr(X, "iloc") else X


def check_input_features(estimator: Any, input_features: Any) -> None:
    """Hold ``input_features`` of ``get_feature_names_out`` against what was seen in ``fit``.

    Raises
    ------
    ValueError
        If the names or their number differ.
    """
    if input_features is None:
        return
    given = np.asarray(input_features, dtype=object)
    seen = getattr(estimator, "feature_names_in_", None)
    if seen is not None and not np.array_equal(seen, given):
        raise ValueError("input_features is not equal to feature_names_in_")
    if len(given) != estimator.n_features_in_:
        raise ValueError(
            "input_features should have length equal to number of features "
            f"({estimator.n_features_in_}), got {len(given)}"
        )


def read_columns(
    estimator: Any,
    X: Any,
    names: Sequence[str],
    *,
    reset: bool,
    allow_missing: Sequence[str] = (),
    min_columns: int = 1,
) -> tuple[npt.NDArray[np.float64], bool]:
    """Columns that an estimator wants: by name from a frame that has them, else by position.

    Extra columns and their order do not matter to the named way. A frame with none of the names,
    and every array, is read by position and checked by scikit-learn's ``validate_data``. After
    ``fit`` the table's unit of time is compared with ``unit_``, where the estimator has one.

    Parameters
    ----------
    estimator : BaseEstimator
        Gets ``n_features_in_`` and ``feature_names_in_`` when ``reset``.
    X : array-like, frame or Table, shape (n_rows, n_columns)
    names : sequence of str
        Wanted columns, in order.
    reset : bool
        True in ``fit``.
    allow_missing : sequence of str
        Names whose missing values (NaN) are legal.
    min_columns : int
        Fewest columns an array must have.

    Returns
    -------
    values : ndarray of shape (n_rows, k), float64
        ``k = len(names)`` by name; all columns of ``X`` by position.
    named : bool
        Whether columns were found by name.

    Raises
    ------
    DataContractError
        If a frame has some of the names but not all, or bad values.
    TimeUnitError
        If the table counts time in another unit than the one fitted on.
    ValueError
        By position: scikit-learn's own errors; too few columns.
    """
    table = open_table(X)
    vectors = _by_name(estimator, table, names, reset, allow_missing)
    if vectors is not None:
        return np.array(vectors).T, True
    _check_unit(estimator, table, reset)
    values = validate_data(
        estimator,
        table.given,
        reset=reset,
        dtype=np.float64,
        ensure_all_finite="allow-nan" if allow_missing else True,
    )
    if values.shape[1] < min_columns:
        raise ValueError(
            f"{values.shape[1]} feature(s) in X, but {type(estimator).__name__} needs at least "
            f"{min_columns}: {', '.join(names)}."
        )
    return values, False


def read_vectors(
    estimator: Any,
    X: Any,
    names: Sequence[str],
    *,
    reset: bool,
    allow_missing: Sequence[str] = (),
) -> list[npt.NDArray[np.float64]]:
    """Columns in the order of ``names``, each in one piece of memory, for reading only.

    As ``read_columns``, but a frame's own memory is used where that will do, and by position there
    are as many columns as names.
    """
    table = open_table(X)
    vectors = _by_name(estimator, table, names, reset, allow_missing)
    if vectors is not None:
        return vectors
    values, _ = read_columns(
        estimator, table, names, reset=reset, allow_missing=allow_missing, min_columns=len(names)
    )
    return [np.ascontiguousarray(values[:, j]) for j in range(len(names))]


def _by_name(
    estimator: Any,
    table: Table,
    names: Sequence[str],
    reset: bool,
    allow_missing: Sequence[str],
) -> list[npt.NDArray[np.float64]] | None:
    """Columns of a frame that has some of the names; None where they go by position."""
    if table.goes_by_position(names):
        return None
    _check_unit(estimator, table, reset)
    caller = type(estimator).__name__
    if reset and "sample_weight" not in signature(estimator.fit).parameters:
        table.refuse_compressed(caller)
    vectors = table.floats(names, allow_missing=allow_missing, caller=f"{caller}'s X")
    if reset:
        estimator.feature_names_in_ = np.asarray(names, dtype=object)
        estimator.n_features_in_ = len(names)
    elif estimator.n_features_in_ < len(names):
        raise ValueError(
            f"X has {len(names)} named columns, but {type(estimator).__name__} was fitted on "
            f"an array with {estimator.n_features_in_} columns."
        )
    if len(vectors[0]) == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape=(0, {len(names)})) while a minimum of 1 is "
            f"required by {type(estimator).__name__}."
        )
    return vectors


def _check_unit(estimator: Any, table: Table, reset: bool) -> None:
    if not reset and hasattr(estimator, "unit_"):
        table.check_unit(estimator)


def weights_of(
    sample_weight: npt.ArrayLike | None, n_rows: int, X: Any = None
) -> npt.NDArray[np.float64] | None:
    """Check ``sample_weight``: one finite weight a row, none negative, some positive.

    Without it a table ``X`` that ``custvalue.compress`` made brings its own. Returns None where
    there is none, so that unweighted sums stay the fast ones.

    Raises
    ------
    ValueError
        Saying which of these it breaks; or if ``X`` looks compressed and does not say so.
    """
    if X is not None:
        sample_weight = open_table(X).weights(sample_weight)
    if sample_weight is None:
        return None
    if np.asarray(sample_weight).dtype.kind == "c":
        raise ValueError("sample_weight must be real numbers, not complex ones.")
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (n_rows,):
        raise ValueError(
            f"sample_weight has shape {weights.shape}; expected ({n_rows},), one weight a row."
        )
    with np.errstate(over="ignore"):
        total = weights.sum()
    if not np.isfinite(total) or (weights < 0).any():
        raise ValueError("sample_weight must be finite, in sum too, and not negative.")
    if not weights.any():
        raise ValueError("sample_weight is zero for every row.")
    return weights
