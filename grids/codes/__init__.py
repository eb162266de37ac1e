"""Code lists: systems, categories with what they carry by date, departments, working days.

`load` and `plan` bring files in; `of` says what a category carries on a day; `convert` leads
from one list to another; `find` searches by name, pinyin and initials in all of them.
"""

from grids.codes.asking import (
    FIELD_PREFIX,
    AnswerNeeded,
    Asked,
    UnknownAnswer,
    answered,
    check_answers,
    check_known,
    questions_of,
    require_answers,
)
from grids.codes.carried import Carried, Option, Question, Target, Versioned, of, of_code
from grids.codes.converting import Conversion, convert
from grids.codes.converting import Target as ConversionTarget
from grids.codes.identifiers import Identifier, parse_identifier
from grids.codes.loading import Change, Loaded, Plan, load, plan
from grids.codes.models import (
    DEFAULT_SYSTEM,
    LOCAL_SYSTEM,
    SOCIAL_SYSTEM,
    CalendarChange,
    CalendarDraft,
    CalendarVersion,
    Category,
    CategoryLimit,
    CategoryRule,
    CodeChange,
    CodeLoad,
    CodeMap,
    CodeSystem,
    CodeUpload,
    Department,
    PopulationCategory,
    StageLimit,
    Workday,
    WorkSpan,
)
from grids.codes.names import search_key
from grids.codes.rows import BadCodeList
from grids.codes.searching import Found, find

__all__ = [
    "DEFAULT_SYSTEM", "FIELD_PREFIX", "LOCAL_SYSTEM", "SOCIAL_SYSTEM", "AnswerNeeded", "Asked",
    "BadCodeList", "CalendarChange", "CalendarDraft", "CalendarVersion", "Carried", "Category", "CategoryLimit", "CategoryRule", "Change", "CodeChange",
    "CodeLoad", "CodeMap", "CodeSystem", "CodeUpload", "Conversion", "ConversionTarget", "Department", "Found",
    "Identifier", "Loaded", "Option", "Plan", "PopulationCategory", "Question", "StageLimit",
    "Target", "UnknownAnswer", "Versioned", "WorkSpan", "Workday", "answered", "check_answers", "check_known",
    "convert", "find", "load", "of", "of_code", "parse_identifier", "plan", "questions_of",
    "require_answers", "search_key",
]  # fmt: skip
