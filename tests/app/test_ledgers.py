"""The ledgers as tables: every row leads to its sentence, pictures say what the rows say, CSV runs nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from index.facts import KINDS
from index.records import Gazette, Source
from page.ledgers import Facts, csv_of, facts_of, ledger_pane


@pytest.fixture(scope="module")
def facts(sample_gazette: Gazette, sample_source: Source) -> Facts:
    return facts_of(sample_gazette, sample_source)


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_leads_to_its_sentence(
    facts: Facts, sample_gazette: Gazette, sample_source: Source, kind: str
) -> None:
    html = ledger_pane([sample_gazette], sample_gazette, facts, kind, "zh")
    table = html[html.index("<table") :]
    places = [tuple(map(int, at.split("-"))) for at in re.findall(r'data-at="(\d+-\d+)"', table)]
    rows = next(facts.rows[k] for k in KINDS if k == kind)
    assert len(places) == len(rows)
    for (start, end), row in zip(places, rows, strict=True):
        assert (str(start), str(end)) == (row["start"], row["end"])
        assert sample_source.text[start:end].strip()


def test_the_picture_of_votes_says_the_counts(facts: Facts, sample_gazette: Gazette) -> None:
    html = ledger_pane([sample_gazette], sample_gazette, facts, "votes", "zh")
    assert 'aria-label="关于我市义务教育工作情况的报告：满意33票，基本满意5票，不满意0票"' in html
    assert 'style="flex-grow:33"' in html


def test_markup_in_a_ledger_stays_text(facts: Facts, sample_gazette: Gazette) -> None:
    bad = "<img src=x onerror=alert(1)>"
    row = {**facts.rows["votes"][0], "subject": bad, "sentence": bad, "document": bad}
    votes = tuple(replace(v, subject=bad, option=bad) for v in facts.held.votes)
    html = ledger_pane(
        [sample_gazette], replace(sample_gazette, title=bad), Facts(replace(facts.held, votes=votes), {**facts.rows, "votes": [row]}),
        "votes", "zh",
    )  # fmt: skip
    assert "<img" not in html


def test_csv_opens_in_a_spreadsheet_and_runs_nothing(facts: Facts) -> None:
    rows = {**facts.rows, "votes": [{"subject": "=HYPERLINK(1)", "sentence": "甲"}]}
    data = csv_of(Facts(facts.held, rows), "votes")
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.decode("utf-8-sig").splitlines()[1].startswith("'=HYPERLINK")
    assert csv_of(facts, "nothing") == "sentence\r\n".encode("utf-8-sig")
