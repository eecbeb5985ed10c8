"""Ledgers: on the real gazette what was counted by hand, then one row a rule on a city that does not exist."""

from __future__ import annotations

import pytest

from index.facts import KINDS, Ledgers, facts_rows, ledgers, safe_cell, safe_rows, self_check
from index.gazette import parse_gazette
from index.people import read_names
from index.records import Gazette, Source
from index.text import fold


@pytest.fixture(scope="module")
def sample(sample_gazette: Gazette, sample_source: Source) -> Ledgers:
    return ledgers(sample_gazette, sample_source)


def read(text: str) -> Ledgers:
    source = Source(id="a" * 16, name="文件.md", text=text, sha256="a" * 64)
    return ledgers(parse_gazette(source), source)


def report(body: str, title: str = "关于全市水库情况的报告") -> Ledgers:
    head = (
        f"# {title}\n\n——2023年4月26日在云川市第九届人民代表大会常务委员会第十二次会议上\n\n云川市水利局局长 钱 二\n\n"
    )
    return read(head + body)


# ---- the real gazette -----------------------------------------------------------------------------------------------


def test_every_statement_stands_at_its_offsets(sample: Ledgers, sample_source: Source) -> None:
    for records in (
        sample.appointments,
        sample.votes,
        sample.figures,
        sample.undertakings,
        sample.links,
        sample.status,
    ):
        for record in records:
            said = record.said
            assert fold(sample_source.text[said.start : said.end]).replace("**", "") == fold(said.sentence)


def test_appointments_of_the_real_gazette(sample: Ledgers) -> None:
    assert [(a.person, a.action, a.post) for a in sample.appointments] == [
        ("郑孝刚", "任命", "市政府副市长"),
        ("郑孝刚", "决定任命", "营口市人民政府副市长"),
    ]


def test_votes_of_the_real_gazette(sample: Ledgers) -> None:
    cast = [(v.option, v.count, v.percent) for v in sample.votes if v.unit == "票"]
    assert len(cast) == 6 * 3
    assert cast[:3] == [("满意", 33, 88.25), ("基本满意", 5, 12.5), ("不满意", 0, None)]
    present = next(v for v in sample.votes if v.option == "出席" and v.names)
    absent = next(v for v in sample.votes if v.option == "请假")
    assert (present.count, present.names[0], present.names[-1]) == (38, "李强", "薛静")
    assert absent.names == ("胡传新", "李红")


@pytest.mark.parametrize(
    ("printed", "indicator", "value", "unit", "period", "scope"),
    [
        pytest.param("206所", "义务教育阶段学校", 206, "所", "", "全市", id="a plain count"),
        pytest.param("11.5万人", "在校学生", 115_000, "人", "", "全市", id="ten thousands"),
        pytest.param(
            "60.38亿元", "义务教育一般公共预算教育经费支出", 6_038_000_000, "元", "近三年", "全市", id="money"
        ),
        pytest.param("5629人次", "资助建档立卡贫困学生", 5629, "人次", "2019年以来", "", id="a period said before"),
        pytest.param(
            "1300栋", "大石桥市在东部四个重点乡镇新建食用菌产业大棚", 1300, "栋", "", "大石桥市", id="a named place"
        ),
    ],
)
def test_figures_of_the_real_gazette(
    sample: Ledgers, printed: str, indicator: str, value: float, unit: str, period: str, scope: str
) -> None:
    found = [f for f in sample.figures if f.printed == printed]
    assert (indicator, value, unit, period, scope) in [(f.indicator, f.value, f.unit, f.period, f.scope) for f in found]


def test_undertakings_of_the_real_gazette(sample: Ledgers) -> None:
    due = {(u.deadline, u.due) for u in sample.undertakings}
    assert due == {
        ("2022年", "2022-12-31"),
        ("2022年前", "2021-12-31"),
        ("2023年前", "2022-12-31"),
        ("2025年前", "2024-12-31"),
        ("2021年7月1日至12月31日", "2021-12-31"),
        ("今年6月份", "2021-06-30"),
        ("年底前", "2021-12-31"),
        ("2025年", "2025-12-31"),
        ("10月底", "2021-10-31"),
    }
    responsible = {u.deadline: u.responsible for u in sample.undertakings}
    assert responsible["今年6月份"] == "公安交管部门"
    assert responsible["2023年前"] == "西市区、鲅鱼圈区、老边区"


def test_links_of_the_real_gazette(sample: Ledgers) -> None:
    found = [
        (int(link.document_id[-2:]), link.relation, link.target_id and int(link.target_id[-2:]))
        for link in sample.links
    ]
    assert sorted(found, key=str) == sorted(
        [
            (5, "说明", 4),
            (8, "审议", 6),
            (9, "批准", 10),
            (11, "审查", 10),
            (13, "说明", 12),
            *((n, "落实", None) for n in (15, 16, 17, 18)),  # the opinions are of an earlier issue
        ],
        key=str,
    )


def test_status_of_the_real_gazette(sample: Ledgers) -> None:
    measures = "营口市人大常委会关于对依法任命的国家机关工作人员进行履职评议的办法（试行）"
    assert [(s.state, s.subject, s.date, s.number) for s in sample.status] == [
        ("试行", measures, "2021-06-10", ""),
        ("施行", measures, "2021-06-10", ""),
        ("废止", "营口市人大常委会关于审判人员、检察人员任后监督评议的暂行办法", "2021-06-10", "营人发〔2019〕45号"),
    ]


def test_self_check_finds_three_and_no_more(sample: Ledgers, sample_gazette: Gazette, sample_source: Source) -> None:
    assert [c.kind for c in sample.alarms] == ["百分比", "名称", "届次"]
    percentage, name, session = sample.alarms
    assert "33票，实有40人，占82.5%，原文作88.25%" in percentage.message  # 33 / 40 = 0.825
    assert "辽沈银行" in name.message
    assert "辽兴银行" in name.message
    assert "第三十三次会议" in session.message
    assert all(c.message.endswith("请核对原文") and len(c.said) == 2 for c in sample.alarms)
    assert self_check(sample_gazette, sample_source) == list(sample.alarms)


def test_sums_that_agree_are_seen_and_raise_no_alarm(sample: Ledgers) -> None:
    agreed = [c.message for c in sample.checks if c.consistent]
    assert any("825803万元调整为881103万元，增加55300万元" in message for message in agreed)  # 825803 + 55300 = 881103
    assert "206所，括号内197+9=206" in agreed
    assert any("由20至13个工作日" in message for message in agreed)  # (20 - 13) / 20 = 35 %


# ---- one row a rule -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("任命：\n\n孙三为云川市水利局局长；\n\n李四、周五为云川市人民检察院检察员。",
                     [("孙三", "任命", "云川市水利局局长"), ("李四", "任命", "云川市人民检察院检察员"),
                      ("周五", "任命", "云川市人民检察院检察员")], id="lines under a header"),
        pytest.param("免去：\n\n孙三的云川市水利局局长职务。", [("孙三", "免去", "云川市水利局局长")], id="removed"),
        pytest.param("任命吴 六为云川市人民政府秘书长；免去郑七的云川市财政局局长职务。",
                     [("吴六", "任命", "云川市人民政府秘书长"), ("郑七", "免去", "云川市财政局局长")], id="in a sentence"),
        pytest.param("接受王八辞去云川市副市长职务的请求。", [("王八", "接受辞职", "云川市副市长")], id="resigned"),
        pytest.param("决定任命欧阳修文同志（女）为云川市副市长。", [("欧阳修文", "决定任命", "云川市副市长")], id="four characters"),
        pytest.param("依法任命的国家机关工作人员为人民服务。", [], id="speaks of appointing"),
        pytest.param("对任命干部进行监督，或者决定任命的个别副市长。", [], id="nobody is named"),
    ],
)  # fmt: skip
def test_appointments(text: str, expected: list[tuple[str, str, str]]) -> None:
    found = read("# 云川市人民代表大会常务委员会任免名单\n\n（2023年4月26日通过）\n\n" + text)
    assert [(a.person, a.action, a.post) for a in found.appointments] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("应到30人，实到28人。", [("应到", 30, "人"), ("实到", 28, "人")], id="attendance"),
        pytest.param(
            "表决结果：赞成27票，反对1票，弃权0票。",
            [("赞成", 27, "票"), ("反对", 1, "票"), ("弃权", 0, "票")],
            id="a vote",
        ),
        pytest.param("出席：\n\n赵 一　　钱二　　孙 三", [("出席", 3, "人")], id="padded names"),
        pytest.param(
            "| 项目 | 赞成 | 反对 |\n|---|---|---|\n| 甲 | 27 | 1 |",
            [("赞成", 27, "票"), ("反对", 1, "票")],
            id="a table",
        ),
        pytest.param("| 项目 | 投资 | 进度 |\n|---|---|---|\n| 甲 | 27 | 1 |", [], id="a table of something else"),
    ],
)
def test_votes(text: str, expected: list[tuple[str, int, str]]) -> None:
    assert [(v.option, v.count, v.unit) for v in report(text).votes] == expected


@pytest.mark.parametrize(
    ("words", "names"),
    [
        pytest.param("李 强\t徐 启\t车轲轶", ("李强", "徐启", "车轲轶"), id="cells"),
        pytest.param("胡传新 李 红", ("胡传新", "李红"), id="spaces"),
        pytest.param("买买提·艾力、王一（女）", ("买买提·艾力", "王一"), id="marks"),
        pytest.param("李  华    张  敏    陈志伟", ("李华", "张敏", "陈志伟"), id="padded by two blanks"),
        pytest.param("会议于4月召开。", (), id="a sentence"),
    ],
)
def test_read_names(words: str, names: tuple[str, ...]) -> None:
    assert read_names(words) == names


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        pytest.param("全市现有水库31座。", [("水库", 31, "座", "全市")], id="plain"),
        pytest.param("受益群众1.2万余人。", [("受益群众", 12_000, "人", "")], id="more than"),
        pytest.param("完成投资1,200万元。", [("完成投资", 12_000_000, "元", "")], id="thousands separator"),
        pytest.param("合格率达到９８．５％。", [("合格率", 98.5, "%", "")], id="full width"),
        pytest.param("印发《云川市水利规划（2016—2020年）》。", [], id="inside a title"),
        pytest.param("第12次会议于2023年4月26日召开，依据〔2019〕45号文件第3条。", [], id="dates and ordinals"),
    ],
)
def test_figures(sentence: str, expected: list[tuple[str, float, str, str]]) -> None:
    assert [(f.indicator, f.value, f.unit, f.scope) for f in report(sentence).figures] == expected


@pytest.mark.parametrize(
    ("sentence", "due"),
    [
        pytest.param("力争10月底完成剩余3座水库的除险加固。", ["2023-10-31"], id="a month of this year"),
        pytest.param("2024年6月底前完成验收。", ["2024-06-30"], id="month and year"),
        pytest.param("2023年底前完成126公里建设。", ["2023-12-31"], id="by the end of a year, not before it"),
        pytest.param("确保2024年6月底前主体封顶。", ["2024-06-30"], id="whatever is to be done"),
        pytest.param("将于今年9月底前拨付资金。", ["2023-09-30"], id="by the end of a month"),
        pytest.param("2025年基本实现标准化管理。", ["2025-12-31"], id="a later year"),
        pytest.param("到2025年，水库管理更加规范。", ["2025-12-31"], id="by a year"),
        pytest.param("确保年底前完成任务。", ["2023-12-31"], id="by the end of the year"),
        pytest.param("2022年底，完成除险加固18座。", [], id="past"),
        pytest.param("去年12月完成验收。", [], id="last year's month"),
        pytest.param("自本办法施行之日起一年内完成登记。", [], id="a term, no day"),
        pytest.param("2023年是水利建设之年。", [], id="a year and no task"),
    ],
)
def test_undertakings(sentence: str, due: list[str]) -> None:
    assert [u.due for u in report(sentence).undertakings] == due


STATUTE = "# 云川市停车条例\n\n（2023年4月26日云川市第九届人民代表大会常务委员会第十二次会议通过）\n\n"


@pytest.mark.parametrize(
    ("article", "expected"),
    [
        pytest.param("本条例自2023年7月1日起施行。", [("施行", "2023-07-01")], id="from a day"),
        pytest.param("本条例自公布之日起施行。", [("施行", "2023-04-26")], id="from its passing"),
        pytest.param("本条例自2023年7月1日起施行。《云川市停车办法》（云人发〔2009〕3号）同时废止。",
                     [("施行", "2023-07-01"), ("废止", "2023-07-01")], id="repeals another"),
        pytest.param("废止2003年3月28日云川市第五届人民代表大会第二次会议通过的《云川市停车办法》。",
                     [("废止", "2023-04-26")], id="repeals what was passed then"),
        pytest.param("违反本条例的，自处罚之日起一年内不得申请。", [], id="another day"),
    ],
)  # fmt: skip
def test_status(article: str, expected: list[tuple[str, str]]) -> None:
    assert [(s.state, s.date) for s in read(STATUTE + f"第一条 {article}").status] == expected


def test_provisional_and_amending() -> None:
    found = read(
        "# 云川市人民代表大会常务委员会关于修改《云川市停车条例》的决定\n\n"
        "（2023年4月26日云川市第九届人民代表大会常务委员会第十二次会议通过）\n\n本决定自公布之日起施行。"
    )
    assert [(s.state, s.subject) for s in found.status] == [
        ("修改", "云川市停车条例"),
        ("施行", "云川市人民代表大会常务委员会关于修改《云川市停车条例》的决定"),
    ]


def test_votes_counted_before_their_option() -> None:
    found = report("会议以27票赞成、1票反对、2票弃权通过了《云川市停车条例》。").votes
    assert [(v.subject, v.option, v.count, v.unit) for v in found] == [
        ("《云川市停车条例》", option, count, "票") for option, count in (("赞成", 27), ("反对", 1), ("弃权", 2))
    ]


def test_names_over_several_lines_are_one_list() -> None:
    found = report("会议应到5人，实到4人。\n\n出席人员：\n\n赵  一  钱  二\n\n孙三丙  李四丁\n\n请假人员：\n\n周  五")
    assert [v.names for v in found.votes if v.names] == [("赵一", "钱二", "孙三丙", "李四丁"), ("周五",)]
    assert not found.alarms


CHAIN = """# 关于全州乡村道路建设情况的报告

——2023年4月18日在甲江自治州第十五届人民代表大会常务委员会第八次会议上

州交通运输局局长 马文斌

全州道路12860公里。

# {opinion}

（2023年4月19日甲江自治州第十五届人民代表大会常务委员会第八次会议）

州人民政府：

会议审议了《关于全州乡村道路建设情况的报告》。要在2023年10月底前出台办法。剩余问题由州财政局负责，力争12月底前解决。

# {answer}

——2023年7月20日在甲江自治州第十五届人民代表大会常务委员会第九次会议上

州交通运输局局长 马文斌

已拨付资金2400万元。

# 关于全州中小学建设情况的报告

——2023年7月20日在甲江自治州第十五届人民代表大会常务委员会第九次会议上

州教育局局长 杨 帆

全州学校310所。
"""


@pytest.mark.parametrize(
    ("opinion", "answer"),
    [
        pytest.param(
            "关于对全州乡村道路建设情况报告的审议意见",
            "关于落实全州乡村道路建设情况报告审议意见的报告",
            id="named without 《》",
        ),
        pytest.param(
            "关于《全州乡村道路建设情况的报告》的审议意见",
            "关于《关于〈全州乡村道路建设情况的报告〉的审议意见》研究处理情况的报告",
            id="titles in titles",
        ),
        pytest.param(
            "州人大常委会第八次会议审议意见",
            "关于州人大常委会第八次会议审议意见落实情况的报告",
            id="named in the text only",
        ),
    ],
)
def test_report_opinion_and_answer_are_a_chain(opinion: str, answer: str) -> None:
    found = read(CHAIN.format(opinion=opinion, answer=answer))
    assert [(link.document_id[-2:], link.relation, link.target_id and link.target_id[-2:]) for link in found.links] == [
        ("02", "审议", "01"),
        ("03", "落实", "02"),
    ]
    assert found.undertakings[0].responsible == "州人民政府"


def test_who_is_told_is_not_who_acts() -> None:
    (found,) = report("请于7月底前将落实方案报区人大常委会。").undertakings
    assert found.responsible == "云川市水利局"


def test_who_is_to_act_is_named_without_what_leads_to_it() -> None:
    (found,) = report("剩余问题由市财政局、市住建局负责，力争12月底前全部整改到位。").undertakings
    assert found.responsible == "市财政局"


LISTED = """决定任命：

阿依古丽·买买提（女，维吾尔族）为州教育局局长；

欧阳志远为州审计局局长。

决定免去：

沈国栋的州教育局局长职务；

接受尉迟峰辞去州人民政府副州长职务的请求。

免去郝建军的县人大常委会办公室主任职务。

任命程 颖（女）同志为区监察委员会副主任，免去其区人民检察院副检察长职务。

同意接受罗刚同志因工作变动请求辞去丁河区副区长职务的请求。

推选副主任牛振华代理区人大常委会主任职务。"""


def test_lists_of_appointments_of_other_places() -> None:
    assert [(a.person, a.action, a.post) for a in report(LISTED, "关于人事任免的报告").appointments] == [
        ("阿依古丽·买买提", "决定任命", "州教育局局长"),
        ("欧阳志远", "决定任命", "州审计局局长"),
        ("沈国栋", "决定免去", "州教育局局长"),
        ("尉迟峰", "接受辞职", "州人民政府副州长"),
        ("郝建军", "免去", "县人大常委会办公室主任"),
        ("程颖", "任命", "区监察委员会副主任"),
        ("程颖", "免去", "区人民检察院副检察长"),
        ("罗刚", "接受辞职", "丁河区副区长"),
        ("牛振华", "推选", "代理区人大常委会主任"),
    ]


def test_the_number_of_an_article_is_no_part_of_who_is_to_act() -> None:
    (found,) = report("第一条 县人民政府应当在2023年6月底前完成水源地建设。").undertakings
    assert (found.task, found.responsible) == ("县人民政府应当在2023年6月底前完成水源地建设", "县人民政府")


VOTES = "常委会组成人员实有30人，参加投票28人。\n\n报告\t满意\t基本满意\t不满意\n"


@pytest.mark.parametrize(
    ("body", "alarms"),
    [
        pytest.param(VOTES + "甲\t27票90%\t1票3.33%\t0票\n乙\t24票80%\t4票13.33%\t0票", [], id="percentages right"),
        pytest.param(
            VOTES + "甲\t27票96%\t1票3.33%\t0票\n乙\t24票80%\t4票13.33%\t0票", ["百分比"], id="one percentage wrong"
        ),
        pytest.param(
            VOTES + "甲\t27票96.43%\t1票3.57%\t0票\n乙\t24票85.71%\t4票14.29%\t0票", [], id="of those who voted"
        ),
        pytest.param(
            VOTES + "甲\t27票\t1票\t0票\n乙\t24票\t4票\t0票\n丙\t20票\t7票\t0票", ["合计"], id="one row short"
        ),
        pytest.param("全市现有水库31座（中型4座、小型27座）。", [], id="items add up"),
        pytest.param("全市现有水库31座（中型4座、小型26座）。", ["合计"], id="items do not"),
        pytest.param("全市现有水库31座（其中中型4座、病险2座）。", [], id="a part of them"),
        pytest.param("审批时限由20天缩短至12天，压缩40%。", [], id="a change"),
        pytest.param("审批时限由20天缩短至12天，压缩60%。", ["百分比"], id="a change misprinted"),
        pytest.param("收入由2.57万元增加到3.52万元，年均增长6.5%。", [], id="a yearly rate is another thing"),
        pytest.param("实际出席3人。\n\n出席：\n\n赵一、钱二、孙三", [], id="as many as stated"),
        pytest.param("会议应到5人，实到4人。\n\n出席人员：\n\n赵一、钱二、孙三", ["人数"], id="of those who came"),
        pytest.param("会议应到5人，出席4人。\n\n出席：\n\n赵一、钱二、孙三", ["人数"], id="a name is missing"),
        pytest.param(
            "年初支出100万元。调整后支出150万元。\n\n支出增加50万元，共增加50万元。", [], id="a rise as stated"
        ),
        pytest.param(
            "年初支出100万元。调整后支出160万元。\n\n支出增加50万元，共增加50万元。", ["合计"], id="a rise misprinted"
        ),
    ],
)
def test_self_check(body: str, alarms: list[str]) -> None:
    assert [c.kind for c in report(body).alarms] == alarms


def test_catalogue_against_body() -> None:
    found = read(
        "# 云川市人民代表大会常务委员会公报\n\n2023年第2号\n\n目录\n\n关于全市水库情况的报告……1\n关于全市林业工作情况的报告……3\n"
        "关于云川河治理情况的汇报……5\n\n"
        "# 关于全市水库情况的报告\n\n——2023年4月26日在某会议上\n\n钱。\n\n"
        "# 关于云川河治理情况的报告\n\n——2023年4月26日在某会议上\n\n孙。"
    )
    assert [(c.kind, c.message.split("项")[0]) for c in found.alarms] == [("目录", "目录第2"), ("目录", "目录第3")]


# ---- export ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_rows_have_one_set_of_columns(kind: str, sample_gazette: Gazette, sample_source: Source) -> None:
    rows = facts_rows(kind, sample_gazette, sample_source)
    assert rows
    assert len({tuple(row) for row in rows}) == 1
    assert all(isinstance(cell, str) for row in rows for cell in row.values())
    assert all(sample_source.text[int(row["start"]) : int(row["end"])] for row in rows)


def test_unknown_ledger_is_named() -> None:
    source = Source(id="a" * 16, name="空.md", text="", sha256="a" * 64)
    with pytest.raises(ValueError, match=r"weather.*appointments"):
        facts_rows("weather", parse_gazette(source), source)


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+86", "'+86"),
        ("-3", "'-3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        (" =1", "' =1"),
        ("＝1", "'＝1"),
        ("206所", "206所"),
        ("", ""),
    ],
)
def test_cells_a_spreadsheet_would_run_are_made_safe(cell: str, safe: str) -> None:
    assert safe_cell(cell) == safe
    assert safe_rows([{"a": cell}]) == [{"a": safe}]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("《" * 50_000 + "废止", id="titles never closed"),
        pytest.param("《甲〈乙〉" * 20_000 + "废止", id="titles in titles"),
        pytest.param("1票赞成" * 100_000, id="votes without end"),
        pytest.param("任命甲为" * 50_000, id="appointments without end"),
        pytest.param("1万元（" * 50_000, id="brackets never closed"),
        pytest.param("年底前2025年完成" * 20_000, id="deadlines in one sentence"),
        pytest.param("由1天缩短至" * 30_000, id="changes without end"),
    ],
)
def test_hostile_text_is_read_in_seconds(text: str) -> None:
    report(text)
