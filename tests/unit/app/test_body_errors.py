"""What is wrong with a body, in both languages."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from flask import Flask

from app.body_errors import words_of


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """One field of every kind."""

    count: Annotated[int, msgspec.Meta(ge=0, le=9)] = 0
    text: Annotated[str, msgspec.Meta(max_length=3, pattern="^a")] = "a"
    kind: Literal["a", "b"] = "a"
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    on: date | None = None
    id: UUID | None = None
    many: Annotated[tuple[int, ...], msgspec.Meta(min_length=1)] = (1,)
    part: "Part | None" = None


class Part(msgspec.Struct):
    """What stands inside another."""

    name: str


#: A body and the words that must stand in its answer, in Chinese and in English.
WRONG = {
    "kind": ('{"count": "1"}', "应为整数，收到的是文字", "expected whole number, got text"),
    "kinds": ('{"id": 1}', "应为UUID / 空（null）", "expected UUID / null, got"),
    "low": ('{"count": -1}', "整数应 >= 0", "the whole number must be >= 0"),
    "high": ('{"count": 10}', "整数应 <= 9", "must be <= 9"),
    "length": ('{"text": "abcd"}', "文字的长度应 <= 3", "the length of the text must be <= 3"),
    "none": ('{"many": []}', "列表的长度应 >= 1", "the length of the list must be >= 1"),
    "form": ('{"text": "b"}', "文字应符合 '^a'", "the text must match '^a'"),
    "choice": ('{"kind": "c"}', "没有 'c' 这个选项", "there is no choice 'c'"),
    "instant": ('{"at": "today"}', "不是时刻", "not an instant"),
    "zone": ('{"at": "2026-03-04T05:06:07"}', "时刻缺少时区", "no time zone"),
    "date": ('{"on": "4.3."}', "不是日期", "not a date"),
    "uuid": ('{"id": "x"}', "不是 UUID", "not a UUID"),
    "missing": ('{"part": {}}', "缺少 name", "name is missing"),
    "unknown": ('{"x": 1}', "没有 x 这个字段", "there is no field x"),
    "not JSON": ('{"x"', "JSON", "JSON"),
    "cut": ("{", "内容不完整", "has no end"),
    "malformed": ("{x}", "第 1 字节处出错", "wrong at byte 1"),
}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("case", WRONG)
def test_each_sentence_of_the_reader_is_said_in_both_languages(
    web_application: Flask, case: str, language: str
) -> None:
    text, *words = WRONG[case]
    with web_application.test_request_context(headers={"Accept-Language": language}):
        said = words_of(message_of(text))

    assert words[language == "en"] in said


def message_of(text: str) -> str:
    """Return what msgspec says of a body, without the place."""
    try:
        read: Any = msgspec.json.decode(text, type=Body)
    except msgspec.MsgspecError as wrong:
        return str(wrong).partition(" - at `")[0]
    raise AssertionError(read)
