"""The README's pictures, made from the page itself: GAZETTE_SCREENSHOTS=1 pytest tests/app/test_screenshots.py."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

if TYPE_CHECKING:
    from conftest import OpenTab, PageProcess, Tab

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not os.environ.get("GAZETTE_SCREENSHOTS"), reason="pictures are made again only when asked for"),
]

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
SIZE_LIMIT = 300_000
SCHOOLS = "全市义务教育阶段学校有多少所？"
ARTICLE = "履职评议办法第二条怎么规定？"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, page_process: PageProcess) -> Iterator[str]:
    with page_process(tmp_path_factory.mktemp("log") / "log") as url:
        yield url


def keep(tab: Tab, name: str) -> None:
    tab.page.wait_for_timeout(900)  # what scrolls and fades comes to rest
    picture = Image.open(io.BytesIO(tab.page.screenshot())).convert("RGB")
    FOLDER.mkdir(parents=True, exist_ok=True)
    picture.quantize(256, dither=Image.Dither.NONE).save(FOLDER / name, optimize=True)
    assert (FOLDER / name).stat().st_size < SIZE_LIMIT


WIDE: dict[str, Any] = {"viewport": {"width": 1360, "height": 850}, "device_scale_factor": 1.5}


def test_desktop(open_tab: OpenTab, url: str) -> None:
    tab = open_tab(url, **WIDE)
    tab.ask(SCHOOLS)
    keep(tab, "desktop.png")


def test_dark(open_tab: OpenTab, url: str) -> None:
    tab = open_tab(url, **WIDE, color_scheme="dark")
    tab.ask(ARTICLE)
    keep(tab, "dark.png")


def test_phone(open_tab: OpenTab, url: str) -> None:
    tab = open_tab(url, viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, has_touch=True)
    tab.ask(SCHOOLS)
    keep(tab, "phone.png")


def test_ledgers(open_tab: OpenTab, url: str) -> None:
    tab = open_tab(url, **WIDE)
    tab.page.locator("#welcome .example").first.wait_for()
    tab.page.click("[role=tab]:has-text('台账')")
    tab.page.locator(".stack").first.wait_for()
    keep(tab, "ledgers.png")
