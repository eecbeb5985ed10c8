"""The real gazette, read and parsed once."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.gazette import parse_gazette
from index.records import Gazette, Source
from index.sources import read_source

DATA = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="session")
def sample_path() -> Path:
    return next(path for path in sorted(DATA.glob("*.md")) if path.name != "README.md")


@pytest.fixture(scope="session")
def sample_source(sample_path: Path) -> Source:
    return read_source(sample_path)


@pytest.fixture(scope="session")
def sample_gazette(sample_source: Source) -> Gazette:
    return parse_gazette(sample_source)
