"""What a filter lets through; every store applies the same rules in its own way, and is tested against these."""

from __future__ import annotations

import re
from functools import lru_cache

from index.records import Document, Filter, Gazette
from index.text import fold

EVERYTHING = Filter()


def matches(where: Filter, document: Document, gazette: Gazette) -> bool:
    """Does a document of a gazette lie in what the filter searches?

    Organ and speaker are compared folded; a document without an organ of its own has its gazette's. A gazette
    without a year lies in no range of years, a document without a date in no range of dates.

    Raises:
        ValueError: if a limit is no date.
    """
    organ = document.organ or gazette.organ
    return (
        where.gazette in {None, document.source_id}
        and where.document in {None, document.id}
        and where.kind in {None, document.kind}
        and (where.organ is None or (organ is not None and fold(organ) == fold(where.organ)))
        and (where.speaker is None or (document.speaker is not None and fold(document.speaker) == fold(where.speaker)))
        and _within(gazette.year, (where.year_from, where.year_to))
        and _within(day(document.date), days(where))
    )


def _within(value: int | None, limits: tuple[int | None, int | None]) -> bool:
    low, high = limits
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


@lru_cache(maxsize=4096)
def day(date: str | None, missing: str = "00") -> int | None:
    """An ISO date as a number that sorts as it does, 2021-06-10 as 20210610; None for what is no date.

    A month or day that it does not name is ``missing``.
    """
    match = re.fullmatch(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", date or "")
    return int("".join(part or missing for part in match.groups())) if match else None


def days(where: Filter) -> tuple[int | None, int | None]:
    """The first and the last day of a filter, None for no limit; 2021-06 as the last one is all of June.

    Raises:
        ValueError: if one is no date.
    """
    first, last = day(where.date_from), day(where.date_to, "99")
    for date, number in ((where.date_from, first), (where.date_to, last)):
        if date is not None and number is None:
            raise ValueError(f"不是日期：{date}；请写作 2021-06-10")
    return first, last
