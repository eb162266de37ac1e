"""What no form may ask (domain 9.2, PIPL art. 6 and 28): the subjects and the words they go by."""

from __future__ import annotations

import re
from typing import Final

#: Subject -> words by which a question would ask for it.
WORDS: Final[dict[str, str]] = {
    "ethnic": r"民族|族别|ethnic|\brace\b|nationality",
    "religion": r"宗教|信仰|信教|教徒|religio|\bfaith\b|church member",
    "political": r"政治面貌|党派|党员|团员|政治倾向|politic|party member",
    "marital": r"婚姻|婚史|婚否|离异|离婚|丧偶|已婚|未婚|marital|marriage|married|divorc",
    "health": r"诊断|病史|病情|疾病|患病|传染病|精神病|艾滋|血型|用药|diagnos|disease|illness|medical histor|\bHIV\b",
    "biometric": r"指纹|人脸|面部|虹膜|掌纹|声纹|步态|DNA|biometric|fingerprint|\bface\b|iris scan|\bgait\b",
    "petition": r"信访|上访|访民|petition",
    "travel": r"出境|出国|护照|境外旅行|travel abroad|passport|went abroad",
    "criminal": r"前科|犯罪记录|刑满|服刑|刑释|社区矫正|吸毒|戒毒|涉毒|criminal record|convict|ex-offender|drug us",
    "attention": r"重点人|重点关注|关注人员|关注对象|稳控|管控对象|危险人员|person of interest|watch ?list|attention flag",
    "identity": r"身份证|证件号|公民身份号码|银行卡|银行账|手机号|id (?:card|number)|identity number|bank account|phone number",
}
_PATTERNS: Final = {name: re.compile(words, re.IGNORECASE) for name, words in WORDS.items()}
#: A number of a resident card, or a mobile phone's.
_PERSONAL: Final = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|1[3-9]\d{9})(?!\d)")


def subject_of(*texts: str) -> str | None:
    """Return the forbidden subject that a wording asks for, None where it asks for none.

    >>> subject_of("户主的民族")
    'ethnic'
    >>> subject_of("灭火器数量") is None
    True
    """
    for name, pattern in _PATTERNS.items():
        if any(pattern.search(text) for text in texts):
            return name
    return None


def holds_personal_number(text: str) -> bool:
    """Say whether a free text carries a resident's number or a mobile phone."""
    return bool(_PERSONAL.search(re.sub(r"[\s-]", "", text)))
