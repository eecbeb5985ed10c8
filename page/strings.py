"""Every word of the page, in one table: Chinese first, English beside it."""

from __future__ import annotations

from typing import Literal

Language = Literal["zh", "en"]

LANGUAGES: tuple[Language, ...] = ("zh", "en")

STRINGS: dict[str, tuple[str, str]] = {
    # the frame
    "title": ("公报问答", "Gazette QA"),
    "tagline": ("问公报，答案逐字有出处", "Ask the gazettes; every answer is quoted word for word"),
    "conversation": ("问答", "Conversation"),
    "reader": ("公报原文", "Gazette text"),
    "tab_read": ("原文", "Text"),
    "tab_ledgers": ("台账", "Ledgers"),
    "tab_library": ("资料库", "Library"),
    "language": ("English", "中文"),
    "language_label": ("Switch to English", "切换到中文"),
    "theme": ("深色 / 浅色", "Dark / light"),
    "new": ("新对话", "New conversation"),
    "keys": ("快捷键", "Keyboard"),
    "keys_text": (
        "/ 提问框 · Enter 提问 · Shift+Enter 换行 · [ ] 上/下一处引文 · t 目录 · Esc 回到提问框",
        "/ question box · Enter ask · Shift+Enter new line · [ ] previous/next quote · t contents · Esc back",
    ),
    "to_conversation": ("回到问答", "Back to the conversation"),
    "skip": ("跳到提问框", "Skip to the question box"),
    # asking
    "ask_label": ("你的问题", "Your question"),
    "ask_placeholder": ("问一个公报里有答案的问题…", "Ask something these gazettes can answer…"),
    "ask": ("提问", "Ask"),
    "empty": ("请先写下问题。", "Please write a question first."),
    "too_long": ("问题太长（{n} 字），请控制在 {limit} 字以内。", "{n} characters is too long; keep it under {limit}."),
    "try": ("可以这样问", "For example"),
    "holds": ("{gazettes} 期公报 · {documents} 份文件", "{gazettes} gazette(s) · {documents} documents"),
    "nothing_indexed": (
        "资料库还是空的：请到“资料库”添加公报。",
        "Nothing is indexed yet: add gazettes under Library.",
    ),
    # example questions, filled from the index's own documents
    "example_speaker": ("《{document}》是谁作的？", "Who delivered “{document}”?"),
    "example_session": ("{session}是哪天召开的？", "On which day was {session} held?"),
    "example_decision": ("{organ}作出了哪些决定？", "Which decisions did {organ} make?"),
    "example_problem": ("{topic}还存在哪些问题？", "What problems remain in {topic}?"),
    "example_article": ("《{document}》第{article}条怎么规定？", "What does article {article} of “{document}” say?"),
    # an answer
    "question": ("问", "Q"),
    "sure": ("把握大", "Confident"),
    "fairly": ("把握较大", "Fairly confident"),
    "unsure": ("把握不大，请核对原文", "Not very confident; check the text"),
    "confidence_title": ("约 {percent}% 的把握", "About {percent}% confident"),
    "resolved": ("理解为：{question}", "Understood as: {question}"),
    "expanded": ("按“{official}”理解“{word}”", "“{word}” was read as “{official}”"),
    "scope": ("范围：{scope}", "Within: {scope}"),
    "conflict": ("来源说法不一，各列如下", "The sources disagree; each is shown"),
    "not_found": ("公报里没有找到答案", "No answer found in the gazettes"),
    "near": ("相近段落", "Nearest passages"),
    "sources": ("出处", "Sources"),
    "open_quote": ("打开引文 {n}：{document}", "Open quote {n}: {document}"),
    "open_passage": ("打开段落：{document}", "Open passage: {document}"),
    "paragraph": ("第 {n} 段", "para. {n}"),
    "page": ("第 {n} 页", "p. {n}"),
    "copy": ("复制引用", "Copy citation"),
    "copied": ("已复制", "Copied"),
    "copy_failed": ("没能复制，请手动选取", "Could not copy; please select it by hand"),
    "gbt": ("GB/T 7714", "GB/T 7714"),
    "plain": ("纯文本", "Plain text"),
    "markdown": ("Markdown", "Markdown"),
    "bibtex": ("BibTeX", "BibTeX"),
    "link": ("复制链接", "Copy link"),
    "right": ("答对了", "Right"),
    "wrong": ("答错了", "Wrong"),
    "wrong_citation": ("出处不对", "Wrong citation"),
    "note": ("说明（可不填）", "Note (optional)"),
    "send": ("保存", "Save"),
    "thanks": ("已记在本机，谢谢", "Saved on this machine, thank you"),
    "feedback": ("评价这个回答", "Rate this answer"),
    # summary
    "summary": ("摘要", "Summary"),
    "summary_off": ("不要摘要", "No summary"),
    "summary_extract": ("要点", "Key sentences"),
    "summary_model": ("模型摘要", "Model summary"),
    "summarising": ("正在写摘要…", "Summarising…"),
    "stop": ("停止", "Stop"),
    "stopped": ("摘要已停止", "Summary stopped"),
    "verbatim": ("原文", "verbatim"),
    "consistent": ("与原文相符", "consistent"),
    "unsupported": ("原文不支持，已划去", "not supported by the text; struck out"),
    "summary_failed": ("没能写出摘要：{reason}", "No summary: {reason}"),
    # narrowing
    "all_gazettes": ("全部公报", "All gazettes"),
    "all_years": ("全部年份", "All years"),
    "all_kinds": ("全部类型", "All kinds"),
    "all_organs": ("全部机关", "All organs"),
    "gazette": ("公报", "Gazette"),
    "year": ("年份", "Year"),
    "kind": ("文件类型", "Kind of document"),
    "organ": ("机关", "Organ"),
    "filters": ("检索范围", "Where to search"),
    "year_value": ("{year}年", "{year}"),
    # the reader
    "contents": ("目录", "Contents"),
    "close": ("关闭", "Close"),
    "previous_quote": ("上一处引文", "Previous quote"),
    "next_quote": ("下一处引文", "Next quote"),
    "quote_count": ("引文 {n}/{total}", "Quote {n}/{total}"),
    "quote_begins": ("引文 {n} 开始", "quote {n} begins"),
    "quote_ends": ("引文结束", "quote ends"),
    "join": ("原文在此换页或换栏", "the print breaks the page or column here"),
    "previous_document": ("上一份", "Previous"),
    "next_document": ("下一份", "Next"),
    "earlier": ("显示前文", "Show earlier text"),
    "later": ("显示后文", "Show later text"),
    "front_matter": ("封面与目录", "Cover and contents"),
    "no_body": ("正文未找到", "body not found"),
    "gone": (
        "这个位置的公报已不在资料库里（来源 {source}）。请把它加回资料库，或重新提问。",
        "The gazette of this place is no longer in the library (source {source}). Add it again, or ask anew.",
    ),
    "bad_link": ("这个链接不完整，打不开。", "This link is incomplete and cannot be opened."),
    "read_hint": ("提问后，出处会在这里打开并标出原话。", "Ask, and the source opens here with its words marked."),
    "document_notes": ("读取说明", "Notes on reading"),
    # taking along
    "export": ("导出", "Export"),
    "export_md": ("Markdown (.md)", "Markdown (.md)"),
    "export_html": ("网页 (.html)", "Web page (.html)"),
    "export_json": ("数据 (.json)", "Data (.json)"),
    "export_docx": ("Word (.docx)", "Word (.docx)"),
    "nothing_to_export": ("还没有问答可以导出。", "There is no conversation to export yet."),
    "exported": ("导出于 {time}", "Exported at {time}"),
    # library
    "library_intro": ("已收录的公报", "Gazettes indexed"),
    "mine": ("我的文件（只有你看得到，离开后删除）", "My files (seen by you only, deleted when you leave)"),
    "add": ("添加公报", "Add gazettes"),
    "add_hint": (
        "拖到这里，或点击选择。可用 {suffixes}，每个不超过 {size}。",
        "Drop files here or click. {suffixes}, up to {size} each.",
    ),
    "adding": ("正在读取与建立索引…", "Reading and indexing…"),
    "remove": ("移出", "Remove"),
    "remove_label": ("移出 {name}", "Remove {name}"),
    "removed": ("已移出 {name}", "Removed {name}"),
    "not_allowed": (
        "资料库由管理员维护，不能从页面更改。",
        "The library is kept by its operator and not changed here.",
    ),
    "column_gazette": ("公报", "Gazette"),
    "column_documents": ("文件", "Documents"),
    "column_passages": ("段落", "Passages"),
    "column_file": ("文件名", "File"),
    "indexed": ("已收录：{documents} 份文件，{passages} 个段落", "Indexed: {documents} documents, {passages} passages"),
    "unchanged": ("没有变化", "Unchanged"),
    "duplicate": ("重复：{reason}", "Duplicate: {reason}"),
    "skipped": ("未收录：{reason}", "Skipped: {reason}"),
    "too_big": ("超过 {size}", "over {size}"),
    "bad_type": ("不支持的格式", "not a supported format"),
    "too_many": ("一次最多 {n} 个文件", "at most {n} files at once"),
    "my_files": ("我的文件", "My files"),
    # ledgers
    "ledgers_none": ("这期公报没有可列的台账。", "This gazette has nothing to list."),
    "self_check": ("自查", "Self-check"),
}
"""key -> (Chinese, English). Braces are filled by ``say``."""


def say(language: Language, key: str, **values: object) -> str:
    """The words for ``key`` as plain text, not yet escaped.

    Raises:
        KeyError: on an unknown key.
    """
    text = STRINGS[key][LANGUAGES.index(language)]
    return text.format(**values) if values else text
