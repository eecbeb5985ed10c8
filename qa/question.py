"""What a question asks for: the type of answer, its unit, the words of its topic and the limits it sets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from qa.english import gloss, is_english
from qa.numbers import HAN_NUMERAL, from_han
from qa.words import content, cut, flat

AnswerType = Literal[
    "number", "amount", "percent", "date", "duration", "person", "post", "place", "organisation", "document",
    "article", "list", "yesno", "reason", "definition", "procedure", "condition", "penalty", "other",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(AnswerType)
Sum = Literal["difference", "total"]

PLACES = Path(__file__).with_name("places.txt")

# Longest first where one is the beginning of another.
MEASURES = (
    "微克/立方米 毫克/升 微克 毫克 架次 学时 学分 兆瓦 千瓦 颗 架 个钟头 钟头 个百分点 百分点 平方公里 平方米 立方米 平方千米 个工作日 工作日 个小时 个月 人次 批次 标箱 公里 公顷 公斤 万元 亿元 千瓦时 摄氏度 课时 小时 分钟 "
    "方面 部门 户次 家次 件次 个 人 名 位 所 家 户 件 项 条 章 次 起 例 张 座 台 辆 艘 亩 吨 斤 米 度 处 批 宗 村 页 票 种 套 岁 类 届 号 节 "
    "部 篇 元 块 天 日 年 月 周 倍 只 棵 株 头 栋 字 步 层 期 卷 枚 场 支 股 箱 份 本 册 班 款 轮 间 口 片 分 级 平 里 秒 代 门 句 道 对 幅 组 盏 根 点"
).split()
_SAME_UNIT = {
    "块": "元",
    "平": "平方米",
    "里": "公里",
    "钟头": "小时",
    "个钟头": "小时",
    "平方千米": "平方公里",
    "位": "名",
}
_MEASURE = "|".join(map(re.escape, MEASURES))
_DIMENSIONS = tuple(
    (re.compile(pattern), tuple(units.split()))
    for pattern, units in (
        (r"多长(?!的?时间|期)|长度.{0,4}多", "米 公里 厘米"),
        (r"多[高宽深厚](?!的?比)|[高宽深厚]度.{0,4}多", "米 厘米 层"),
        (r"多远|距离.{0,6}多", "公里 米"),
        (r"多重|重量.{0,4}多", "吨 公斤 斤"),
        (r"面积.{0,6}多[大少]|多大的?面积", "平方米 亩 公顷 平方公里"),
        (r"(年龄|岁数|年纪).{0,6}多|多大的?(年龄|岁数|年纪)|几岁", "岁 周岁"),
    )
)

# The first pattern found decides; the order settles what contains what (为什么 before 什么, 多少天 before 多少).
_RULES: tuple[tuple[AnswerType, str], ...] = (
    ("definition", r"^何[为谓]|(?:是|指)(?:个|一种)?(?:什么|啥)(?:制度|模式|机制|概念|东西|意思)[?？]?$|指(?:的是)?(?:什么|啥)[?？]?$|[”\"]是(?:个|一种)?(?:什么|啥)[?？]?$"
     r"|怎么个(?:制度|模式|机制|办法|意思)|(?:什么|啥|何)意思"),
    ("article", r"第几[条款项章节]|条款[?？]?$|(?:哪个|哪些|什么)条款|哪一?[条款章](?![路街河线])|哪几条(?![路街河线])|条号"),
    ("reason", r"为什么|为啥|(?:咋|怎么)(?:就(?![业医诊餐近地读学])|偏|老(?!人)|总(?!结)|一直|没|不(?!得)|缺|只|反而|这么|那么)|为何|因何|何故|凭什么|凭啥|(什么|啥|何|哪些)(原因|缘故|理由|考虑)|(原因|理由|缘由|目的|起因|成因)(是|有|在|$)"
     r"|怎么回事|咋回事|图(个)?啥|图的?(是)?什么|干嘛|干啥要|必要性|背景是|(什么|啥)(目的|背景|意义)|\bwhy\b"),
    ("number", r"(排|位列|位居|名列|居|名次|排名)(在|到|全国|全省|全球|世界|第)*第?几|第几(名|位)|多少(名|位)(次)?$"),
    ("percent", r"百分之[几多]|百分比|百分点|几成|(占|比例|比重|占比)(是|为|了|到|达|有|的)?(多少|几|多大)|多(大|少|高)的?(比例|比重)|几分之几"
     r"|(?<![效频汇])率[?？]?$|率(是|为|达|到|达到|有|要|在|应|得|要求|目标|大约|大概|现在|不低于|超过)*(多少|几|多高|多大)|(比例|比重|占比|涨幅|降幅|增幅|增速)(是|有)?(多少|多大|几)?"
     r"|(增长|增加|提高|下降|降低|减少|降|涨|上升|压缩|缩短)(了)?(几个点|百分之)|(增长|下降|上升|上涨)(了)?多少(?![\u4e00-\u9fff])"
     r"|\bpercent|\brate\b|\bproportion\b|\bshare\b"),
    ("duration", r"多久|多长时间|(多少|几)个?(天|日|个月|年|小时|个?钟头|分钟|工作日|周|星期|秒)(?![以前后]?[份号])|(期限|时限|有效期|工期|任期|时长|过渡期)(是|有|为)?"
     r"(几|多|什么|啥|$)|\bhow long\b|\bhow many (days|years|months|hours|weeks|minutes|working)"),
    ("date", r"(什么|啥|哪个?)(时候|时间|日子|日期|时刻|时段|月份?)|何时|何日|何年|哪一?(天|年|月|日)|几月|几号|几点|几时|星期几|周几|日期"
     r"|(截至|截止).{0,6}(哪|何|什么|啥)|时间(是|为|定|在)|(?<!长)(?<!段)时间[?？]?$|\bwhen\b|\bwhat (date|year|day|time)|\bwhich (date|year|day|month)"),
    ("amount", rf"(多少|几)(个?[万亿千百])*(元|块|钱|资金|经费|款|费|工资|补贴|补助|奖金|收入|利润|税|债|美元|人民币)|(多少|几)个?[亿](?!({_MEASURE}))"
     r"|(花|投|拨|欠|罚|赔|补|注|出资|注资|投入|投资|支出|收入|补贴|补助|金额|资金|经费|费用|价格|价钱|工资|余额|限额|罚款|贷款|预算|产值|总额|款项?|保费)"
     r"(了|的|是|有|为|总共|一共|合计|共|达到|达|到|大约|大概|要|出|能|规模|标准|总)*(多少|几[万亿]|多大)(?!(个|人|名|户|家|项|次|件|所|%))|啥价|什么价"
     r"|罚款的?(幅度|数额|金额|额度)[?？]?$|\bhow much (money|fund|was|is|did|does|will|of)|\bhow much\b|\bamount\b|\bcost\b"),
    ("post", r"(什么|啥|何|哪个)(职务|职位|职|官|岗位|身份|级别)|(担任|任|当)(的是|了)?(什么|啥|何)|职务(是|为)|职位(是|为)|(是|当)什么的|干(什么|啥)的"
     r"|什么(领导|干部)|\bposition\b|\bpost\b|\btitle does\b"),
    ("number", rf"(多少|(?<!哪)几)(万|亿|千|百|来|多)?个?({_MEASURE})|多少|第几|排名|(?<!哪)几(?![乎点率年])|数量|人数|总数|票数|数目|多(大|高|远|宽|重|长|厚|深)"
     r"|\bhow many\b|\bnumber of\b|\bhow (large|big|far|high|old)\b"),
    ("person", r"谁(来|去|给|向.{1,12})?(主持|讲话|讲的|报告|汇报|作的?|当|担任|出任|宣读|带队|带领|参加|出席|列席|缺席|请假|任|做的?|接替|接任)"),
    ("organisation", r"(哪|什么|啥)(个|家|些|几个|几家|一?级|一个|一家)?(部门|单位|机关|机构|公司|企业|委员会|组织|局|法院|医院|银行|集团|协会|学校|工委|专委会|政府)"
     r"|谁(来)?(管|负责|批|审批|批准|制定|发布|执法|牵头|主管|监督|解释|组织|实施|承担|承办|主办|出钱|审查|审核|认定|协调)|归谁|由谁|找谁|向谁|跟谁|和谁|与谁"
     r"|(牵头|主管|承办|主办|责任|监管|执法)(部门|单位|机关)?(是|为)|(牵头|主管|承办|主办|责任|监管|执法|施工|承建|建设|设计)(部门|单位|机关)[?？]?$|\bwhich (department|organi[sz]ation|agency|body|company|committee|bureau|bank)"),
    ("person", r"谁|哪(一?位|个人|名|几位|些人)|何人|(什么|啥)人(?!员)|(姓|叫)(什么|啥)(名字?)?$|(?<!地方)名字(?!算)|姓名|人选|\bwho\b|\bwhom\b|\bwhose\b"),
    ("document", r"(什么|哪(一|几)?(个|部|份|项|些|几个|几部|几份|件)|啥|哪(一|几)?)(文件|法律法规|法律|法规|条例|办法|规定|方案|通知|意见|决定|决议|报告|规划|制度"
     r"|细则|法|纲要|目录|标准|公报|议案|法条|章程|政策文件|书|手册)|(依据|根据|按照|依照)(的是)?(什么|啥|哪)|文号|哪一?期|(依据|根据)(是|有)|依据的法律[?？]?$|(法律|法规|制定|政策)依据[?？]?$|的(文件|法律|法规|地方性法规)[?？]?$"
     r"|\bwhich (document|law|regulation|measure|report|decision|plan)|\bwhat (document|law|regulation|plan)"),
    ("place", r"哪里|哪儿|(?<![存实现内])在哪|去哪|到哪|什么地方|啥地方|(?<!如)(?<!为)何处(?!理|置|罚|分)|何地|(哪|什么)(一?个|些|几个|座|条|片|一?)?(区|县|市|镇|村|乡|街道|路|街|城市|国家|省|地区|地方"
     r"|区县|县区|区域|位置|地点|地段|场所|大学|高校|港口?|景区|城)|地址|地点(是|在|为|[?？]?$)|位于|\bwhere\b|\bwhich (city|county|district|place|town|country)"),
    ("penalty", r"(怎么|咋|如何|怎样|会)(被)?(处罚|罚|处分|追责|惩罚|惩处|惩治)|(什么|啥|何种|哪些)(处罚|处分|后果|惩罚|法律责任|责任(?!单位|部门|人|主体|机关))|会坐牢|受到什么|\bpenalt"),
    ("condition", r"(什么|啥|哪些|何种)(条件|情况下|情形|资格|前提|标准|样的人)|怎样才|怎么才|前提(是|有)|条件(是|有)|适用于"),
    ("definition", r"(什么|啥|何)意思|(什么|啥|何)叫|叫(什么|啥|做)|什么是|啥是|(指|称)(的是)?(什么|啥|哪)|是指|含义|定义|全称|简称|怎么理解|如何理解|什么关系|区别|概念"
     r"|\bwhat does .* mean|\bdefinition\b|\bstand for\b"),
    ("list", r"哪些|哪[几两二三四五六七八九十\d]|有(些)?(什么|啥)|分别|(包括|包含|涉及|分为|分成)(了)?(什么|啥|哪)|列出|列举|名单|(什么|啥)(内容|措施|问题|建议|要求|举措|做法|成效|成绩|困难"
     r"|不足|工作|办法|任务|活动|专业|特色|原则|职责)|(内容|措施|问题|建议|要求|重点|职责|原则|议题|议程)(是|有|包括)|(存在|面临|发现|查出)的?([一二三四五六七八九十\d]+(个|项|大|方面|类)的?)?(主要|突出)?(问题|困难|不足|短板)[?？]?$|前[两二三四五六七八九十\d](个|项|位|名|样|种|条|家)|(内容|职责|议程|事项|程序)[?？]?$|都有谁|做了(什么|啥)|干了(什么|啥)|\bwhich\b.*s\b|\blist\b"),
    ("procedure", r"怎么|怎样|如何|咋|流程|程序|步骤|手续|方式|\bhow\b"),
)  # fmt: skip
_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _RULES)

_YES_NO = re.compile(
    r"(是不是|是否|有没有|有无|能不能|可不可以|会不会|要不要|用不用|让不让|许不许|该不该|算不算|行不行|对不对|能否|可否|应否|(?P<verb>[\u4e00-\u9fff])不(?P=verb)|需不需要|准不准|合不合|[在对]不在"
    r"|(?<![什怎那这多])[吗嘛么]\s*[?？。!！]*$|难道|(?<![淹沉埋吞出])没有?\s*[?？]?$|不\s*[?？]?$)"
)
_ENGLISH_YES_NO = re.compile(r"^(is|are|was|were|do|does|did|can|could|will|has|have|had|should|must)\b")
_OPEN = re.compile(r"多少|几(?![乎])|谁|什么|啥|哪(?!怕)|为何|何时|怎么|怎样|如何|咋|多久|多大")
_POLITE = re.compile(
    r"^(请问|请教|麻烦|劳驾|你好|您好|[,，。!！\s])*((你|您)?(能|可以|能不能|可不可以|能否)?(帮我|给我|告诉我|跟我)(说|讲|查|找|介绍|看)?(一?下)?|我?(很)?想(问|知道|了解|请教|查)(一?下)?)?[,，:：\s]*"
)
_WANTS_ALL = re.compile(
    r"哪些|哪[几两二三四五六七八九十]|哪\d|分别|都有|都叫|都是|都在|有哪|包括|包含|列出|列举|名单|几个方面|各有?多少|各是|逐一|依次|有(些)?(什么|啥)|(什么|啥)(内容|措施|举措|做法|问题|建议|要求|不足|困难)"
    r"|[几两二三四五六七八九十\d]+[个家项条座所类种].{0,14}(?:名称|名字|名单)|(?<![第半])[两二三四五六七八九十\d][个项条大类种方][^，。]{0,8}(?:是|有)(?:什么|啥)|和谁|还有谁|有谁|谁和谁|\bwhich\b[^?]*\b(were|are|documents|reports|people)\b|\blist\b"
)
_DIFFERENCE = re.compile(
    r"相差|差(了)?(多少|几)|(多|少|高|低)(了|出来?)?(多少|几)|比.{1,20}(多|少|高|低|增加|减少)(了|出来?)?(多少|几)|差额|差距(是|有)?多|比.{1,12}(涨|增长|上升|下降|降)(了)?(多少|几)"
)
_TOTAL = re.compile(r"合计|总和|加起来|加在一起|一共加|总共加|两者一共|之和|合起来|加到一起|拢共")
_ARTICLE = re.compile(
    rf"第\s*([{HAN_NUMERAL}\d]+)\s*条(?![路街线])|(?<=[法例定则办程])\s*的?\s*([{HAN_NUMERAL}\d]+)\s*条(?![路街线])"
)
_CLAUSE = re.compile(rf"第\s*([{HAN_NUMERAL}\d]+)\s*款")
_ITEM = re.compile(rf"第\s*[（(]?\s*([{HAN_NUMERAL}\d]+)\s*[)）]?\s*项|[（(]([{HAN_NUMERAL}\d]+)[)）]\s*项?")
_ARTICLE_TEXT = re.compile(
    r"条(第.{1,4}[款项])*[，,的]*(规定|原文|内容|条文|全文)?(都|是|主要|具体)?(了)?(规定|讲|说|写)?(了|的|的是|是)?(什么|啥|哪些|怎么(写|说|规定)?的?|咋(写|说)的?|如何规定|内容)?[?？吗呢。]*$"
)
ASKING_NOUNS = frozenset(
    "原因 理由 名字 姓名 名称 数量 数目 总数 日期 多高 缘故".split()
)  # they name the kind, not the topic
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:年|\b)")
_LIMIT = re.compile(rf"[上下]一?[次届期]|第[{HAN_NUMERAL}\d]+[次届期号批]|(?<!\d)(?:19|20)\d\d年?(?!\d)")
_QUOTED = re.compile(r"《([^《》]+)》|“([^“”]+)”|\"([^\"]+)\"|「([^「」]+)」")
_ENTITY_AFTER = re.compile(
    rf"(?:哪(?:一|几|些)?(?:个|位|家|部|种|类|项|份|所|座|条|名|款|场|次|支|本)?|什么|啥|(?:多少|几)(?:个?(?:{_MEASURE}))?)([\u4e00-\u9fff]{{1,4}})"
)
_CHATTER = re.compile(
    r"^(请|帮我|给我|替我|帮忙)*(写|作|画|编|翻译|讲|唱|说)(一|个|首|篇|段|幅|张|句)+.{0,16}(诗|歌|故事|笑话|作文|小说|代码|程序|画|情书|日记)\S{0,3}$|"
    r"^(你好|您好|hi|hello|hey|嗨|哈喽|早上好|下午好|晚上好|早安|晚安|谢谢|多谢|感谢|再见|拜拜|在吗|在不在|你是谁|你叫什么|你是什么|你能做什么|你会什么|你能干什么|你可以做什么"
    r"|怎么用|怎么使用|帮助|help|thanks|thank you|who are you|what can you do|bye|ok|好的|嗯+|哦+|哈+)[\s!！?？。.~,，呀啊呢吗了的你]*$"
)


@dataclass(frozen=True, slots=True)
class Article:
    """The address of a provision: 第九条第一款第（二）项 is (9, 1, 2)."""

    number: int
    clause: int | None = None
    item: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question, analysed. ``topics`` are its content words in order; ``units`` those the answer may be counted in."""

    text: str
    flat: str  # as compared
    kind: AnswerType
    topics: tuple[str, ...]
    units: tuple[str, ...] = ()
    focus: str = ""  # what is asked for, as a word: 哪个部门 -> 部门, 多少所学校 -> 学校
    wants_all: bool = False
    years: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()  # digits in the question
    quoted: tuple[str, ...] = ()  # what stands in 《》 or quotation marks
    limits: tuple[str, ...] = ()  # years, ordinals, places and titles by name: an answer elsewhere is none
    article: Article | None = None
    article_text: bool = False  # asks for the words of the article itself
    compute: Sum | None = None
    is_chatter: bool = False
    search: str = ""  # what to look for, where that is not the question itself: an English one in Chinese words

    @property
    def is_count(self) -> bool:
        return self.kind in {"number", "amount", "percent", "duration"}


def analyse(question: str) -> Question:
    """What the question asks for. Never fails: a text that asks nothing has kind "other" and perhaps no topics."""
    lowered = flat(question.strip())
    asked = lowered[match.end() :] if (match := _POLITE.match(lowered)) else lowered
    if is_english(question):
        return _english(question, lowered, gloss(question))
    article = _address(lowered)
    article_text = bool(article and _ARTICLE_TEXT.search(asked))
    kind = "article" if article_text else _kind(asked)
    return Question(
        text=question,
        flat=lowered,
        kind=kind,
        topics=tuple(w for w in content([word for word, _ in cut(_without_frame(asked))]) if w not in ASKING_NOUNS),
        units=_units(asked),
        focus=_focus(asked),
        wants_all=bool(_WANTS_ALL.search(asked)),
        years=tuple(dict.fromkeys(_YEAR.findall(lowered))),
        figures=tuple(re.findall(r"\d+(?:\.\d+)?", lowered)),
        quoted=tuple("".join(groups) for groups in _QUOTED.findall(lowered)),
        limits=_limits(lowered),
        article=article,
        article_text=article_text,
        compute="difference" if _DIFFERENCE.search(asked) else "total" if _TOTAL.search(asked) else None,
        is_chatter=bool(_CHATTER.match(lowered)),
    )


def _english(question: str, lowered: str, glossed: str) -> Question:
    """The kind is read from the English, everything else from its gloss."""
    said = flat(glossed)
    return Question(
        text=question,
        flat=said,
        kind=_kind(lowered),
        topics=tuple(content([word for word, _ in cut(said)])),
        wants_all=bool(_WANTS_ALL.search(lowered)),
        years=tuple(dict.fromkeys(_YEAR.findall(lowered))),
        figures=tuple(re.findall(r"\d+(?:\.\d+)?", lowered)),
        limits=_limits(said),
        is_chatter=bool(_CHATTER.match(lowered)),
        search=glossed,
    )


def _kind(asked: str) -> AnswerType:
    if (_YES_NO.search(asked) and not _OPEN.search(_YES_NO.sub("", asked))) or _ENGLISH_YES_NO.match(asked):
        return "yesno"
    return next((kind for kind, pattern in _COMPILED if pattern.search(asked)), "other")


def _without_frame(asked: str) -> str:
    """The question without the words that only ask, so that 办法第几条 leaves 办法."""
    frame = rf"是不是|是否|有没有|能不能|可不可以|会不会|要不要|为什么|为啥|为何|多少个?({_MEASURE})?|几个?({_MEASURE})(?!份)|什么时候|啥时候|什么|怎么样?|哪一?(个|些|位|家|部|年|天|里|儿)|多长时间"
    return re.sub(frame, " ", asked)


def _units(asked: str) -> tuple[str, ...]:
    found = [m[1] for m in re.finditer(rf"(?:多少|几)(?:万|亿|千|百|来|多)*({_MEASURE})", asked)]
    found += [unit for pattern, units in _DIMENSIONS if pattern.search(asked) for unit in units]
    return tuple(dict.fromkeys(unit for name in found for unit in (name, _SAME_UNIT.get(name, name))))


def _focus(asked: str) -> str:
    match = _ENTITY_AFTER.search(asked)
    words = [w for w, _ in cut(match[1])] if match else []
    return words[0] if words else ""


@lru_cache(maxsize=1)
def places() -> frozenset[str]:
    """Provinces, prefectures and some countries, without 省 and 市."""
    return frozenset(PLACES.read_text(encoding="utf-8").split())


def _limits(lowered: str) -> tuple[str, ...]:
    """What the question names and an answer cannot say otherwise; 今年 and 我市 are no names."""
    named = [m[0].removesuffix("年") for m in _LIMIT.finditer(lowered)]
    edges = {at for word, at in cut(lowered)} | {at + len(word) for word, at in cut(lowered)}
    where = [
        lowered[i : i + n]
        for i in range(len(lowered))
        for n in (4, 3, 2)
        # 吃的东|西安|不安全 names no city
        if lowered[i : i + n] in places() and i in edges and {i + n, i + n + 1} & edges
    ]
    titles = [groups[0] for groups in _QUOTED.findall(lowered) if groups[0]]
    return tuple(dict.fromkeys([*named, *where, *titles]))


def _address(lowered: str) -> Article | None:
    match = _ARTICLE.search(lowered)
    number = from_han(match[1] or match[2]) if match else None
    if match is None or number is None:
        return None
    rest = lowered[match.end() :]
    clause, item = _CLAUSE.search(rest), _ITEM.search(rest)
    return Article(
        number,
        from_han(clause[1]) if clause else None,
        from_han(item[1] or item[2]) if item else None,
    )
