"""k-means, and how well its clusters can be told from other columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._categories import is_text
from custvalue._typing import Floats, Places

# k-means ends in many optima: with a few starts, segments of one table differ by luck, which looks
# as if other customers would have other segments. The fit is searched longest, as all refits are
# held against it; (rows x starts, fewest, most)
FIT, REFIT = (100_000, 10, 50), (40_000, 4, 15)


def centers_of(
    place: Floats, k: int, random: np.random.RandomState, starts: tuple[int, int, int] = FIT
) -> Floats:
    """Centres of k-means, the best of many starts; fewer where a sample has fewer points."""
    from sklearn.cluster import KMeans

    # scikit-learn warns of more centres than different points, and copies some of them
    k = min(k, len(np.unique(place, axis=0)))
    work, fewest, most = starts
    n_init = int(np.clip(work // len(place), fewest, most))
    fitted = KMeans(k, n_init=n_init, random_state=random.randint(2**31 - 1)).fit(place)
    return np.asarray(fitted.cluster_centers_)


def nearest_center(place: Floats, centers: Floats) -> Places:
    """Nearest centre of each row."""
    if len(place) == 1:  # a service's: scikit-learn's checks take ten times as long
        return np.array([((centers - place) ** 2).sum(axis=1).argmin()], dtype=np.intp)
    from sklearn.metrics import pairwise_distances_argmin

    return np.asarray(pairwise_distances_argmin(place, centers), dtype=np.intp)


def told_apart(columns: list[npt.NDArray[Any]], codes: Places, seed: int | None) -> float:
    """Balanced accuracy of a small tree, on folds that it did not see."""
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.tree import DecisionTreeClassifier

    parts = [
        (c[:, None] == np.unique(c.astype(str))[None, :]).astype(float)
        if is_text(c)
        else c[:, None]
        for c in columns
    ]
    tree = DecisionTreeClassifier(
        max_depth=5, min_samples_leaf=5, class_weight="balanced", random_state=0
    )
    folds = StratifiedKFold(min(5, int(np.bincount(codes)[np.unique(codes)].min())), shuffle=True,
                            random_state=seed)  # fmt: skip
    score = cross_val_score(
        tree, np.column_stack(parts), codes, cv=folds, scoring="balanced_accuracy"
    )
    return float(score.mean())
