"""Lists and tables asked of a whole gazette: the points of a section, Markdown tables, values that differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from index.building import build
from index.store import Index, open_index
from qa.ask import Assistant

REPORT = """# 关于全市公共体育工作情况的报告

——2023年6月20日在清溪市第八届人民代表大会常务委员会第十次会议上

市体育局局长 何云舟

一、基本情况

全市现有公共体育场馆46处，其中游泳馆3处。体育场馆由市体育局统一管理。

二、存在的主要问题

{problems}

三、下一步打算

（一）加快补齐设施。2024年底前新建健身步道120公里。

（二）培养专业人才。三年内培训社会体育指导员900名。

2023年体育设施项目如下：

| 序号 | 项目 | 责任单位 | 投资（万元） | 完成时限 |
|---|---|---|---|---|
| 1 | 北湖游泳馆 | 市文旅集团 | 8600 | 2024年6月 |
| 2 | 东山健身步道 | 市林业局 | 1250 | 2023年11月 |
| 3 | 柳湾足球公园 | 柳湾区人民政府 | 3400 | 2024年3月 |
"""
OPINIONS = """# 关于《关于全市公共体育工作情况的报告》的审议意见

清溪市第八届人民代表大会常务委员会第十次会议听取了报告，现将审议意见印送你们。

一、全市现有公共体育场馆64处，但分布不均，要向乡镇倾斜。
"""
PARAGRAPHS = "（一）设施总量不足。人均面积低。\n\n（二）专业人才短缺。缺编32名。\n\n（三）经费投入偏低。只占0.3%。"
SENTENCES = "对照群众期盼，还有不少短板：一是设施总量不足。人均面积低。二是专业人才短缺。三是经费投入偏低。"


@pytest.fixture(scope="module", params=[PARAGRAPHS, SENTENCES], ids=["paragraphs", "sentences"])
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder: Path = tmp_path_factory.mktemp("sections")
    (folder / "report.md").write_text(REPORT.format(problems=request.param), encoding="utf-8")
    (folder / "opinions.md").write_text(OPINIONS, encoding="utf-8")
    build([folder / "report.md", folder / "opinions.md"], folder / "index")
    with open_index(folder / "index") as opened:
        yield opened


@pytest.mark.parametrize(
    "question",
    [
        "公共体育工作存在哪些问题？",
        "体育工作还有哪几个短板",
        "公共体育工作存在的主要问题",
        "查出体育场馆哪三个毛病",
        "体育工作自己承认的三个短处是啥",
        "体育工作存在的三方面问题",
    ],
)
def test_all_problems_are_the_points_of_their_section(question: str, index: Index) -> None:
    answer = Assistant(index).ask(question)
    assert answer.answer == "设施总量不足；专业人才短缺；经费投入偏低"
    text = index.source(answer.citations[0].source_id).text
    assert all("".join(text[c.start : c.end].split()) == "".join(c.quote.split()) for c in answer.citations)


def test_points_are_as_many_as_are_asked_for(index: Index) -> None:
    assert "设施总量不足" not in Assistant(index).ask("公共体育工作查出哪五个毛病").answer


def test_the_points_of_another_matter_are_no_answer(index: Index) -> None:
    assert "设施总量不足" not in Assistant(index).ask("医疗保障工作存在哪些问题？").answer
    assert "设施总量不足" not in Assistant(index).ask("2017年公共体育工作存在哪些问题？").answer


@pytest.mark.parametrize(
    ("question", "words"),
    [
        pytest.param("东山健身步道投资多少万元？", "1250", id="row and column"),
        pytest.param("柳湾足球公园由哪个单位负责？", "柳湾区人民政府", id="the only column of organisations"),
        pytest.param("北湖游泳馆什么时候完成？", "2024年6月", id="the only column of dates"),
        pytest.param("投资最多的项目是哪个？", "北湖游泳馆", id="the row with the most, by its name"),
    ],
)
def test_a_markdown_table(question: str, words: str, index: Index) -> None:
    assert Assistant(index).ask(question).answer == words


def test_two_documents_that_differ_by_a_few_words_are_a_conflict(index: Index) -> None:
    answer = Assistant(index).ask("全市有多少处公共体育场馆？")
    assert (answer.status, sorted(answer.answer.split("；"))) == ("conflict", ["46处", "64处"])
    assert len({c.document for c in answer.citations}) == 2


LEADS = """# 清溪市地名管理办法

第一条 申请地名命名、更名，应当提交下列材料：

（一）申请书；

（二）命名、更名方案及理由；

（三）地理位置示意图。

第二条 地名有下列情形之一、影响使用的，应当更名：（一）一地多名的；（二）重名、近音的；（三）有损民族尊严的。
"""


def test_the_items_under_a_lead_and_in_its_paragraph(tmp_path: Path) -> None:
    (tmp_path / "rules.md").write_text(LEADS, encoding="utf-8")
    build([tmp_path / "rules.md"], tmp_path / "index")
    with open_index(tmp_path / "index") as opened:
        answer = Assistant(opened).ask("申请地名命名、更名应提交哪三样材料？")
        inline = Assistant(opened).ask("地名有哪些情形应当更名？")
    assert answer.answer == "申请书；命名、更名方案及理由；地理位置示意图"
    assert inline.answer == "一地多名的；重名、近音的；有损民族尊严的"


RULES = """# 清溪市公共体育场馆管理办法

（2023年5月9日清溪市第八届人民代表大会常务委员会第九次会议通过）

第一条 为了规范公共体育场馆管理，依照体育法第三十二条的规定，制定本办法。

第二条 公共体育场馆应当每周向社会免费开放不少于三十五小时。

第三条 公共体育场馆管理单位不得将场馆改作他用。

擅自将场馆改作他用的，由体育部门责令限期改正。

第四条 违反本办法第二条规定，免费开放时间不足的，予以通报批评。
"""


@pytest.mark.parametrize(
    ("question", "number"),
    [
        pytest.param("每周免费开放三十五小时由哪一条规定？", "第二条", id="its own number"),
        pytest.param("擅自改作他用要限期改正，是哪条规定的？", "第三条", id="the number of a paragraph above"),
        pytest.param("免费开放时间不足予以通报批评的条款", "第四条", id="not the one that it cites"),
        pytest.param("制定办法依照体育法哪一条？", "体育法第三十二条", id="the one that it cites, with its law"),
    ],
)
def test_which_article(question: str, number: str, tmp_path: Path) -> None:
    (tmp_path / "rules.md").write_text(RULES, encoding="utf-8")
    build([tmp_path / "rules.md"], tmp_path / "index")
    with open_index(tmp_path / "index") as opened:
        assert Assistant(opened).ask(question).answer == number
        assert Assistant(opened).ask("游泳馆水温是哪条规定的？").status == "not_found"
