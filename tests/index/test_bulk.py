"""Reading and embedding by a Ray cluster, here of two processes on this machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index.building import build
from index.embed import load_encoder
from index.records import GazetteError
from index.store import open_index, verify

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]


def test_a_cluster_builds_the_same_index(tmp_path: Path, sample_path: Path) -> None:
    ray = pytest.importorskip("ray", reason='needs pip install ".[ray]"')
    from index.bulk import build_with_ray

    files = tmp_path / "files"
    files.mkdir()
    for n in range(40):
        (files / f"{n:02}.md").write_text(f"# 关于第{n}项工作的报告\n\n完成{n}万元。\n", encoding="utf-8")
    (files / "empty.md").write_bytes(b"")
    paths = [files, sample_path]
    ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
    try:
        theirs = build_with_ray(paths, tmp_path / "ray", workers=2)
    finally:
        ray.shutdown()
    assert theirs == build(paths, tmp_path / "here", encoder=load_encoder())
    assert verify(tmp_path / "ray") == []
    one, two = open_index(tmp_path / "ray"), open_index(tmp_path / "here")
    assert one.gazettes == two.gazettes
    question = "义务教育学校有多少所"
    for a, b in zip(one.dense(question, 50), two.dense(question, 50), strict=True):
        assert np.isclose(a.score, b.score, atol=1e-5)


def test_no_cluster_is_one_line(tmp_path: Path, sample_path: Path) -> None:
    pytest.importorskip("ray", reason='needs pip install ".[ray]"')
    from index.bulk import build_with_ray

    with pytest.raises(GazetteError, match="Ray"):
        build_with_ray([sample_path], tmp_path / "index", address="127.0.0.1:9")
