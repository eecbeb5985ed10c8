"""Uploads: indexed, seen by their owner only, deleted; the shared library changed only where that is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.building import add, build
from index.records import FileReport, Filter
from index.store import open_index
from page import library as library_module
from page.library import Asked, Library, NotAllowed
from page.shelves import file_reports, shelves
from page.stores import IndexStore
from page.strings import say
from qa.ask import Assistant

MINE = "# 关于养老服务工作情况的报告\n\n全市现有养老机构47家，床位6120张。\n"
OTHER = "# 关于供热工作情况的报告\n\n全市集中供热面积为3350万平方米。\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared")
    (folder / "供热.md").write_text(OTHER, encoding="utf-8")
    build([folder / "供热.md"], folder / "index")
    return folder / "index"


@pytest.fixture
def library(built: Path) -> Library:
    return Library(Assistant(open_index(built)), IndexStore())


def dropped(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_own_files_are_seen_by_their_owner_only(library: Library, tmp_path: Path) -> None:
    path = dropped(tmp_path, "养老.md", MINE)
    (report,) = library.add([path], "me")
    assert (report.outcome, report.documents) == ("indexed", 1)
    assert not path.exists()
    assert len(library.gazettes("me")) == 2
    assert len(library.gazettes("you")) == 1
    assert library.mine("you") is None


def test_an_answer_comes_from_either(library: Library, tmp_path: Path) -> None:
    from page.desk import Desk

    list(library.add([dropped(tmp_path, "养老.md", MINE)], "me"))
    desk = Desk(library)
    own = desk.answer("全市现有养老机构多少家？", (), Filter(), "me")
    assert "47家" in own.answer + own.sentence
    assert "47家" not in desk.answer("全市现有养老机构多少家？", (), Filter(), "you").sentence
    shared = desk.answer("全市集中供热面积是多少？", (), Filter(), "me")
    assert "3350万平方米" in shared.answer + shared.sentence


@pytest.mark.parametrize(
    ("name", "content", "outcome"),
    [
        pytest.param("供热副本.md", OTHER, "duplicate", id="a shared file under another name"),
        pytest.param("空.md", "", "skipped", id="empty"),
        pytest.param("程序.exe", "MZ", "skipped", id="wrong kind"),
        pytest.param("二进制.md", "\x00\x01\x02" * 99, "skipped", id="binary"),
    ],
)
def test_what_is_not_taken_is_named_with_its_reason(
    library: Library, tmp_path: Path, name: str, content: str, outcome: str
) -> None:
    path = dropped(tmp_path, name, content)
    (report,) = library.add([path], "me")
    assert (report.name, report.outcome) == (name, outcome)
    assert report.reason
    assert not path.exists()


def test_limits(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_module, "FILE_BYTES", 10)
    monkeypatch.setattr(library_module, "FILES_AT_ONCE", 1)
    paths = [dropped(tmp_path, f"{i}.md", MINE) for i in range(2)]
    reasons = [report.reason for report in library.add(paths, "me")]
    assert "上限是 10 字节" in reasons[0]
    assert "一次最多 1 个" in reasons[1]


def test_forgotten_files_leave_nothing_behind(library: Library, tmp_path: Path) -> None:
    list(library.add([dropped(tmp_path, "养老.md", MINE)], "me"))
    mine = library.mine("me")
    assert mine is not None
    folder = mine.index.folder
    assert folder.exists()
    library.forget("me")
    assert not folder.parent.exists()
    assert len(library.gazettes("me")) == 1


def test_removing_own_files(library: Library, tmp_path: Path) -> None:
    list(library.add([dropped(tmp_path, "养老.md", MINE), dropped(tmp_path, "再.md", MINE + "另有一段。")], "me"))
    mine = [g.source_id for g in library.gazettes("me")][1:]
    assert len(mine) == 2
    library.remove(mine[0], "me")
    assert len(library.gazettes("me")) == 2
    library.remove(mine[1], "me")
    assert len(library.gazettes("me")) == 1


def test_what_was_removed_is_put_back_as_it_was(library: Library, tmp_path: Path) -> None:
    list(library.add([dropped(tmp_path, "养老.md", MINE), dropped(tmp_path, "再.md", MINE + "另有一段。")], "me"))
    index = library.mine("me").index  # type: ignore[union-attr]
    before = {g.source_id: (g, index.source(g.source_id)) for g in index.gazettes}
    passages = {d: index.passages(d) for d in index.documents}
    for source_id in before:
        library.remove(source_id, "me")
    assert [g.source_id for g in library.removed("me")] == list(before)[::-1]
    assert library.removed("you") == ()
    assert "我的文件" not in shelves(library, "me", "zh")
    with pytest.raises(KeyError):
        library.restore(next(iter(before)), "you")
    for source_id in before:
        library.restore(source_id, "me")
    index = library.mine("me").index  # type: ignore[union-attr]
    assert {g.source_id: (g, index.source(g.source_id)) for g in index.gazettes} == before
    assert {d: index.passages(d) for d in index.documents} == passages
    assert library.removed("me") == ()
    with pytest.raises(KeyError):
        library.restore(source_id, "me")
    assert "47家" in library.mine("me").ask("全市现有养老机构多少家？").sentence  # type: ignore[union-attr]


def test_a_shared_gazette_is_put_back_from_where_it_came(tmp_path: Path) -> None:
    path = dropped(tmp_path, "供热.md", OTHER)
    build([path], tmp_path / "index")
    library = Library(Assistant(open_index(tmp_path / "index")), IndexStore(), shared_changes=True)
    (shared,) = library.gazettes("me")
    library.remove(shared.source_id, "me")
    assert library.gazettes("you") == ()
    assert say("zh", "nothing_indexed") in shelves(library, "you", "zh")
    assert 'data-act="restore"' in shelves(library, "me", "zh")
    assert 'data-act="restore"' not in shelves(library, "you", "zh"), "only who took it out is asked"
    library.restore(shared.source_id, "me")
    assert library.gazettes("you") == (shared,)
    assert add([path], tmp_path / "index")[0].outcome == "unchanged", "it is known by its file again"


def test_what_can_be_put_back_goes_with_its_visitor(library: Library, tmp_path: Path) -> None:
    list(library.add([dropped(tmp_path, "养老.md", MINE)], "me"))
    library.remove(library.gazettes("me")[1].source_id, "me")
    library.forget("me")
    assert library.removed("me") == ()


def test_a_report_says_what_was_met_and_how_far_it_is() -> None:
    taken = FileReport("甲.md", "indexed", documents=2, passages=3, notes=("替换了 2 个坏字符",))
    left = FileReport("乙.md", "skipped", "乙.md: 没有文字")
    html = file_reports([taken, left], "zh", 3, working=True)
    assert "替换了 2 个坏字符" in html
    assert "未收录：没有文字" in html, "the name stands once"
    assert '<progress value="2" max="3"' in html
    assert "2 / 3" in html
    assert "<progress aria-label" in file_reports([], "zh", 1, working=True), "one file: a bar that moves by itself"
    assert "<progress" not in file_reports([taken], "zh", 1)


def test_refusals_are_said_in_the_language_of_the_page(library: Library, tmp_path: Path) -> None:
    (report,) = library.add([dropped(tmp_path, "程序.exe", "MZ")], "me", "en")
    assert "not a supported format" in report.reason


def test_the_shared_library_is_not_changed_unless_allowed(library: Library, tmp_path: Path, built: Path) -> None:
    (shared,) = library.gazettes("me")
    with pytest.raises(NotAllowed):
        library.remove(shared.source_id, "me")
    open_to_all = Library(Assistant(open_index(built)), IndexStore(), shared_changes=True)
    list(open_to_all.add([dropped(tmp_path, "养老.md", MINE)], "me"))
    added = [g.source_id for g in open_to_all.gazettes("you")]
    assert len(added) == 2
    assert len(library.gazettes("you")) == 2, "a page beside it sees the new state"
    open_to_all.remove(added[1], "you")
    assert len(open_to_all.gazettes("me")) == 1


def test_a_page_without_a_store_only_reads(assistant: Asked, tmp_path: Path) -> None:
    library = Library(assistant)
    (report,) = library.add([dropped(tmp_path, "养老.md", MINE)], "me")
    assert report.outcome == "skipped"
    with pytest.raises(NotAllowed):
        library.remove(library.gazettes("")[0].source_id, "")


def test_names_and_reports_stay_text(library: Library, tmp_path: Path) -> None:
    path = dropped(tmp_path, "<img src=x onerror=alert(1)>.md", MINE.replace("47", "48"))
    reports = list(library.add([path], "me"))
    assert "<img" not in file_reports(reports, "zh", 2)
    assert "<img" not in shelves(library, "me", "zh")
    assert "&lt;img" in shelves(library, "me", "zh")
    library.remove(reports[0].source_id, "me")
    assert "<img" not in shelves(library, "me", "zh"), "nor in what can be put back"
