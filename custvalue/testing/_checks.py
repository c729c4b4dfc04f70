"""How laws are run, and how near a simulation must come."""

from __future__ import annotations

from typing import Any

import numpy as np

from custvalue._warn import heard


def run_laws(kind: Any, laws: tuple[Any, ...], params: dict[str, float]) -> None:
    """Raise one AssertionError that names every law which the model breaks."""
    broken = []
    for law in laws:
        try:
            with heard():  # a law is about numbers
                law(kind, params)
        except (AssertionError, ValueError) as error:  # a fit may refuse the model by itself
            words = law.__name__.replace("_", " ")
            broken.append(f"{words}: {(str(error).strip() or 'it does not hold').splitlines()[0]}")
    if broken:
        raise AssertionError(f"{kind.__name__} breaks {len(broken)} laws:\n" + "\n".join(broken))


def near(values: Any, expected: float, what: str) -> None:
    values = np.asarray(values, dtype=float)
    error = values.std() / np.sqrt(len(values)) + 1e-12
    if not values.any():  # so rare that nobody drew it
        error = 5.0 / len(values)
    assert abs(values.mean() - expected) < 5 * error, (
        f"{what}: simulated {values.mean():.5f} +- {error:.5f}, formula {expected:.5f}"
    )
