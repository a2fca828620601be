"""Markdown inside a line: emphasis, code, links, addresses, HTML, entities, escapes.

A table of rules by first character. A rule is a pattern, what is said for it, and a second pattern for text
that may still grow into the first: then it waits. Emphasis marks are dropped by what stands beside them,
without looking for their partner: a listener wants to hear neither, and the text can flow on at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

from ttsops.text.rewriter import Taken, Window

REACH = 2_400
"""Characters the longest rule looks at: a link with a label of 300 and a target of 1 500."""

_SCHEME = r"(?i:https?://|www\.)"
_SCHEME_PART = r"(?i:h|ht|htt|https?:?/?|w|ww|www)\Z"

INLINE_START = re.compile(
    r"[\\`*_~\[<&]|!(?=\[|\Z)|(?<=\w) (?=\[|\Z)|" + rf"(?<![\w.@/-])(?:{_SCHEME}|{_SCHEME_PART})"
)
"""Where a rule may begin: the start of a construct, or what may become one when more text arrives."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One construct."""

    pattern: re.Pattern[str]

    part: re.Pattern[str]
    """Matches, up to the end of what is known, whatever more text could turn into this construct. Asked only
    if the pattern does not match, or matches up to that end."""

    say: Callable[[re.Match[str]], str | None]
    """What is said for it; None if it is not this construct after all."""


def rewrite_inline(window: Window) -> Taken:
    """What becomes of the markup at the window's start; a character that is none stays as it is."""
    text, start, stop, is_certain = window
    for rule in _RULES.get(text[start].lower(), ()):
        found = rule.pattern.match(text, start, stop)
        is_settled = is_certain or (found and found.end() < stop)
        if not is_settled and rule.part.match(text, start, stop):
            return None
        said = rule.say(found) if found else None
        if found and said is not None:
            return found.end(), said
    return start + 1, text[start]


def plain(text: str) -> str:
    """`text`, all of it known, without markup inside its lines."""
    out, at = [], 0
    while found := INLINE_START.search(text, at):
        out.append(text[at : found.start()])
        taken = rewrite_inline(Window(text, found.start(), len(text), is_certain=True))
        assert taken is not None  # a certain window never waits
        at = taken[0]
        out.append(taken[1])
    return "".join([*out, text[at:]])


def _before(found: re.Match[str]) -> str:
    return found.string[found.start() - 1] if found.start() else ""


def _after(found: re.Match[str]) -> str:
    return found.string[found.end()] if found.end() < found.endpos else ""


def _say_emphasis(found: re.Match[str]) -> str:
    """Kept: `2 * 3`, `2*3`, `snake_case`, `~5`."""
    run, before, after = found[0], _before(found), _after(found)
    is_loose = (not before or before.isspace()) and (not after or after.isspace())
    if is_loose or run == "~":
        return run
    if not (before.isalnum() and after.isalnum()):
        return ""
    is_sum = before.isdigit() and after.isdigit()
    has_spaces = not (_NO_SPACES.match(before) or _NO_SPACES.match(after))
    return run if run[0] == "_" or is_sum or (len(run) == 1 and has_spaces) else ""


def _say_code(found: re.Match[str]) -> str:
    """The code without its underscores: `my_name` is two words, `__init__` one."""
    return re.sub(r"[\s_]+", " ", found["code"]).strip()


def _say_citation(found: re.Match[str]) -> str | None:
    """Nothing for `so it is[1].` and `so it is [1].`; `see [1] for more` and `x[1]` are no citations."""
    text, start, after = found.string, found.start(), _after(found)
    if not _CITED.search(text[max(0, start - 2) : start]):
        return None
    is_cited = after in ".,;:!?[" if found["space"] else after != "("
    return "" if is_cited else None


def _say_tag(found: re.Match[str]) -> str:
    return "\n" if _BREAKING_TAG.fullmatch(found["name"]) else ""


def _say_address(found: re.Match[str]) -> str | None:
    return found["mail"] or host(found["url"])


def _say_url(found: re.Match[str]) -> str | None:
    """The host, and the marks that end the sentence rather than the address."""
    url = found[0]
    address = url.rstrip(_NOT_OF_URL)
    if "(" not in address:
        address = address.rstrip(")" + _NOT_OF_URL)
    name = host(address)
    return None if name is None else name + url[len(address) :].strip("*_~")


def host(url: str) -> str | None:
    """`https://user@www.example.com:80/path` → example.com; None if there is no host."""
    name = re.split(r"[/?#]", re.sub(r"(?i)^https?://", "", url), maxsplit=1)[0]
    name = re.sub(r"(?i)^www\.", "", re.sub(r":\d*$", "", name.rpartition("@")[2]))
    return name or None


_NO_SPACES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")  # scripts in which emphasis stands inside a "word"
_CITED = re.compile(r"(?:\w\w|[.,;:!?)\]\"”’*])\Z")
_IS_REFERENCE = re.compile(r"\d{1,3}")
_NOT_OF_URL = ".,;:!?'*_~"

_LABEL = r"(?:[^\[\]\\\n]|\\[^\n]|\[[^\[\]\n]{0,200}\]){0,300}"
_TARGET = r"(?:[^()\s]|\([^()\s]{0,300}\)){0,1500}"
_TITLE = r"(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}')"
_LINK = Rule(
    re.compile(
        rf"!?\[(?P<label>{_LABEL})\]"
        rf"(?:\({_TARGET}(?:[ \t]{{1,9}}{_TITLE}[ \t]{{0,9}})?\)|\[[^\[\]\n]{{0,100}}\])"
    ),
    re.compile(
        rf"!?(?:\[{_LABEL}(?:\\|\[[^\[\]\n]{{0,200}}|\](?:\[[^\[\]\n]{{0,100}}|\({_TARGET}"
        rf"(?:\([^()\s]{{0,300}}|[ \t]{{1,9}}(?:{_TITLE}[ \t]{{0,9}}|[\"'][^\n]{{0,200}})?)?)?)?)?\Z"
    ),
    lambda found: "" if _IS_REFERENCE.fullmatch(found["label"]) else plain(found["label"]),
)
_FOOTNOTE = Rule(
    re.compile(r"\[\^[^\[\]\s]{1,40}\](?::[ \t]?)?"),
    re.compile(r"\[(?:\^[^\[\]\s]{0,40}(?:\]:?)?)?\Z"),
    lambda found: "",
)
_CITATION = Rule(
    re.compile(r"(?P<space> ?)\[[1-9]\d{0,2}\]"), re.compile(r" ?(?:\[\d{0,3}\]?)?\Z"), _say_citation
)
_EMPHASIS = Rule(re.compile(r"([*_~])\1*"), re.compile(r"([*_~])\1*\Z"), _say_emphasis)
_CODE = Rule(
    re.compile(r"(?P<ticks>`{1,20}+)(?P<code>[^`\n][^\n]{0,299}?)(?<!`)(?P=ticks)(?!`)"),
    re.compile(r"`{1,20}+(?:[^`\n][^\n]{0,340})?\Z"),
    _say_code,
)
_LONE_TICKS = Rule(re.compile(r"`+"), re.compile(r"`+\Z"), lambda found: "")
_ESCAPE = Rule(
    re.compile(r"\\(?:(?P<mark>[!-/:-@\[-`{-~])|(?=\n))"),
    re.compile(r"\\\Z"),
    lambda found: found["mark"] or "",
)
_ENTITY = Rule(
    re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});"),
    re.compile(r"&#?\w{0,31}\Z"),
    lambda found: unescape(found[0]).replace("\u00a0", " "),
)

_TAGS = (
    "a|abbr|b|big|blockquote|body|br|center|cite|code|dd|del|details|div|dl|dt|em|font|footer|h[1-6]|head|"
    "header|hr|html|i|img|ins|kbd|li|main|mark|ol|p|pre|q|s|samp|section|small|span|strike|strong|sub|summary|"
    "sup|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul|var"
)
_BREAKING_TAG = re.compile(
    r"(?i:blockquote|br|center|d[dlt]|details|div|h[1-6]|hr|li|ol|p|pre|section|tr|ul)"
)
_VALUE = r"(?:\"[^\"<>\n]{0,1000}\"|'[^'<>\n]{0,1000}'|[^\s\"'<>=`]{1,1000})"
_TAG = Rule(
    re.compile(
        rf"</?(?P<name>(?i:{_TAGS}))(?:[ \t]{{1,9}}[A-Za-z_:][\w:.-]{{0,40}}={_VALUE}){{0,9}}[ \t]{{0,9}}/?>"
    ),
    re.compile(rf"<(?:/?[A-Za-z0-9]{{0,10}}|/?(?i:{_TAGS})[ \t/][^<>\n]{{0,2000}})\Z"),
    _say_tag,
)
_COMMENT = Rule(
    re.compile(r"<!--.{0,1000}?-->", re.DOTALL),
    re.compile(r"<(?:!(?:-(?:-.{0,1002})?)?)?\Z", re.DOTALL),
    lambda found: "",
)
_AUTOLINK = Rule(
    re.compile(
        r"<(?:(?P<url>(?i:https?)://[^\s<>]{1,1500})|(?:mailto:)?(?P<mail>[^\s<>@]{1,80}@[^\s<>@]{1,200}))>"
    ),
    re.compile(r"<[^\s<>]{0,1510}\Z"),
    _say_address,
)
_URL_LETTER = r"[^\s<>\"“”「」『』（），。！？、；：|\[\]]"
_URL = Rule(
    re.compile(rf"{_SCHEME}{_URL_LETTER}{{1,1500}}"),
    re.compile(rf"{_SCHEME}{_URL_LETTER}{{0,1499}}\Z|{_SCHEME_PART}"),
    _say_url,
)

_RULES: dict[str, tuple[Rule, ...]] = {
    "\\": (_ESCAPE,),
    "`": (_CODE, _LONE_TICKS),
    "*": (_EMPHASIS,),
    "_": (_EMPHASIS,),
    "~": (_EMPHASIS,),
    "[": (_FOOTNOTE, _CITATION, _LINK),
    " ": (_CITATION,),
    "!": (_LINK,),
    "<": (_TAG, _COMMENT, _AUTOLINK),
    "&": (_ENTITY,),
    "h": (_URL,),
    "w": (_URL,),
}
