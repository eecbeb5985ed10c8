"""Trees read by numpy give what LightGBM gives."""

from pathlib import Path

import numpy as np
import pytest

from qa import trees
from qa.trees import Trees


@pytest.mark.parametrize("objective", ["binary", "lambdarank"])
def test_scores_equal_lightgbm(tmp_path: Path, objective: str) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    draw = np.random.default_rng(3)
    rows = draw.normal(size=(600, 7)).astype(np.float32)
    rows[:, 2] = np.round(rows[:, 2])
    labels = (rows[:, 0] + rows[:, 2] > 0.2).astype(int)
    settings = {"objective": objective, "verbosity": -1, "use_missing": False, "num_threads": 1, "max_depth": 5}
    data = lightgbm.Dataset(rows, labels, group=[20] * 30 if objective == "lambdarank" else None)
    booster = lightgbm.train(settings, data, num_boost_round=12)
    trees.save(tmp_path / "model.safetensors", booster)
    ours = Trees.load(tmp_path / "model.safetensors").score(rows)
    np.testing.assert_allclose(ours, booster.predict(rows, raw_score=True), atol=1e-5)


def test_rows_of_another_width_are_refused(tmp_path: Path) -> None:
    one = {
        "feature": np.zeros(1, np.int16), "threshold": np.zeros(1, np.float32), "left": np.zeros(1, np.int32),
        "right": np.zeros(1, np.int32), "value": np.array([0.5], np.float32), "roots": np.zeros(1, np.int32),
        "depth": np.array([1], np.int32), "columns": np.array([3], np.int32),
    }  # fmt: skip
    model = Trees(one)
    assert model.score(np.zeros((2, 3), np.float32)).tolist() == [0.5, 0.5]
    assert model.score(np.zeros((0, 3), np.float32)).shape == (0,)
    with pytest.raises(ValueError, match="3 个特征，得到 4 个"):
        model.score(np.zeros((2, 4), np.float32))
