"""Summary statistics of scalar features, so that pages and facets need no file access."""

from __future__ import annotations

from typing import Any

import numpy as np

from .features import Array

QUANTILES = {"q01": 0.01, "q25": 0.25, "median": 0.5, "q75": 0.75, "q99": 0.99}


def describe(values: Array) -> dict[str, Any]:
    """→ {min, max, mean, median, sd, q01, q25, q75, q99, count, nan} of the finite values; None where there are none.

    `count` is the number of finite values, `nan` of the others. ~30 ms for 10^6 values.
    """
    numbers = np.asarray(values, dtype=np.float64)
    finite = numbers if numbers.size == 0 else numbers[np.isfinite(numbers)]
    result: dict[str, Any] = {"count": int(finite.size), "nan": int(numbers.size - finite.size)}
    if finite.size == 0:
        return result | dict.fromkeys(["min", "max", "mean", "sd", *QUANTILES])
    with np.errstate(over="ignore", invalid="ignore"):
        moments = {"min": finite.min(), "max": finite.max(), "mean": finite.mean(), "sd": finite.std()}
        quantiles = np.quantile(finite, list(QUANTILES.values()))
    for name, value in [*moments.items(), *zip(QUANTILES, quantiles, strict=True)]:
        result[name] = float(value) if np.isfinite(value) else None
    return result
