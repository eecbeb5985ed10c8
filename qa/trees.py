"""Boosted trees without LightGBM: importing it takes longer than a whole answer (2.4 s against 0.1 s).

A model is a safetensors file of flat arrays; ``Trees`` sums the leaves that a row of features reaches.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file


class Trees:
    """An additive model: ``score(rows)`` is the sum over trees of the leaf each row falls into."""

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        self.feature = arrays["feature"].astype(np.int64)
        self.threshold = arrays["threshold"]
        self.children = np.stack([arrays["right"], arrays["left"]], axis=1).astype(np.int64).ravel()
        self.value = arrays["value"]
        self.roots = arrays["roots"].astype(np.int64)
        self.depth = int(arrays["depth"][0])
        self.columns = int(arrays["columns"][0])

    @classmethod
    def load(cls, path: Path) -> Trees:
        return cls(load_file(path))

    def score(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,) sums for (n, columns) rows.

        Raises:
            ValueError: if the rows have another number of columns than the model was fitted on.
        """
        if rows.shape[1] != self.columns:
            raise ValueError(
                f"模型需要 {self.columns} 个特征，得到 {rows.shape[1]} 个：模型文件与代码版本不符，请重新训练"
            )
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        at = np.repeat(self.roots[None, :], len(rows), axis=0)
        flat, first = np.ascontiguousarray(rows).ravel(), np.arange(len(rows))[:, None] * self.columns
        for _ in range(self.depth):  # a leaf points at itself, so deeper rounds change nothing
            goes_left = flat.take(self.feature.take(at) + first) <= self.threshold.take(at)
            at = self.children.take(2 * at + goes_left)
        out: NDArray[np.float32] = self.value.take(at).sum(axis=1, dtype=np.float32)
        return out


def save(path: Path, booster: Any) -> None:
    """Write a fitted ``lightgbm.Booster`` (numeric splits, no missing values) as the arrays ``Trees`` reads."""
    dump = booster.dump_model()
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    value: list[float] = []
    roots: list[int] = []
    deepest = 0

    def walk(node: dict[str, Any], depth: int) -> int:
        nonlocal deepest
        deepest = max(deepest, depth)
        here = len(feature)
        feature.append(node.get("split_feature", 0))
        # LightGBM compares in double; rows here are float32, so the threshold is kept on the same side of both.
        threshold.append(
            float(np.nextafter(np.float32(node["threshold"]), np.float32(np.inf))) if "threshold" in node else 0.0
        )
        left.append(here)
        right.append(here)
        value.append(node.get("leaf_value", 0.0))
        if "left_child" in node:
            left[here] = walk(node["left_child"], depth + 1)
            right[here] = walk(node["right_child"], depth + 1)
        return here

    for tree in dump["tree_info"]:
        roots.append(walk(tree["tree_structure"], 0))
    save_file(
        {
            "feature": np.array(feature, dtype=np.int16),
            "threshold": np.array(threshold, dtype=np.float32),
            "left": np.array(left, dtype=np.int32),
            "right": np.array(right, dtype=np.int32),
            "value": np.array(value, dtype=np.float32),
            "roots": np.array(roots, dtype=np.int32),
            "depth": np.array([deepest], dtype=np.int32),
            "columns": np.array([dump["max_feature_idx"] + 1], dtype=np.int32),
        },
        path,
    )
