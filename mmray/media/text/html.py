"""HTML: from markup to the text that a reader sees.

A tag is the name of an element of HTML, then attributes: ``<T1 on day 1; >T2 later``, ``<y and z>``
and ``<jane@example.org>`` are text.
"""

import html
import re

_ELEMENTS = [
    "a",
    "abbr",
    "acronym",
    "address",
    "applet",
    "area",
    "article",
    "aside",
    "audio",
    "b",
    "base",
    "basefont",
    "bdi",
    "bdo",
    "bgsound",
    "big",
    "blink",
    "blockquote",
    "body",
    "br",
    "button",
    "canvas",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "command",
    "content",
    "data",
    "datalist",
    "dd",
    "del",
    "details",
    "dfn",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "element",
    "em",
    "embed",
    "fieldset",
    "figcaption",
    "figure",
    "font",
    "footer",
    "form",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hgroup",
    "hr",
    "html",
    "i",
    "iframe",
    "image",
    "img",
    "input",
    "ins",
    "isindex",
    "kbd",
    "keygen",
    "label",
    "legend",
    "li",
    "link",
    "listing",
    "main",
    "map",
    "mark",
    "marquee",
    "math",
    "menu",
    "menuitem",
    "meta",
    "meter",
    "multicol",
    "nav",
    "nobr",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "ol",
    "optgroup",
    "option",
    "output",
    "p",
    "param",
    "path",
    "picture",
    "plaintext",
    "portal",
    "pre",
    "progress",
    "q",
    "rb",
    "rp",
    "rt",
    "rtc",
    "ruby",
    "s",
    "samp",
    "script",
    "search",
    "section",
    "select",
    "shadow",
    "slot",
    "small",
    "source",
    "spacer",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "track",
    "tt",
    "u",
    "ul",
    "var",
    "video",
    "wbr",
    "xmp",
]
_BARE = [
    "allowfullscreen",
    "async",
    "autofocus",
    "autoplay",
    "checked",
    "compact",
    "controls",
    "default",
    "defer",
    "disabled",
    "download",
    "formnovalidate",
    "hidden",
    "inert",
    "ismap",
    "itemscope",
    "loop",
    "multiple",
    "muted",
    "nomodule",
    "noshade",
    "novalidate",
    "nowrap",
    "open",
    "playsinline",
    "readonly",
    "required",
    "reversed",
    "selected",
]
_NAME = rf"(?:{'|'.join(sorted(_ELEMENTS, key=len, reverse=True))}|[a-z][a-z0-9]*[-:][a-z0-9:-]++)"
_VALUE = r"""(?:"[^"]*+"|'[^']*+'|[^\s"'<>`]++)"""
_ATTRIBUTE = rf"(?:(?:{'|'.join(_BARE)})(?=[\s/>])|[^\s\"'<>/=]++\s*+=\s*+{_VALUE})"
# Nothing is tried a second time (possessive), so time is linear.
_TAG = re.compile(
    rf"<(?:/{_NAME}\s*+|{_NAME}(?:\s++{_ATTRIBUTE})*+\s*+/?|![a-z\[][^<>]*+|\?[a-z][^<>]*+)>",
    re.IGNORECASE,
)
_BLOCK = re.compile(r"<(!--|script\b|style\b)", re.IGNORECASE)
_BLOCK_ENDS = {
    "!--": re.compile("-->"),
    "script": re.compile(r"</script\s*>", re.IGNORECASE),
    "style": re.compile(r"</style\s*>", re.IGNORECASE),
}
# Python refuses to read a number of thousands of digits, and no character has nine.
_NO_CHARACTER = re.compile("&#[0-9]{9,};?")


def without_html(text: str) -> str:
    """Drop tags, comments, scripts and styles, and resolve entities once. Time is linear."""
    visible = _TAG.sub(" ", _without_blocks(text)) if "<" in text else text
    return html.unescape(_NO_CHARACTER.sub("\ufffd", visible))


def _without_blocks(text: str) -> str:
    """Drop comments, scripts and styles. A block that never ends stays; time is linear."""
    pieces: list[str] = []
    kept_until = 0
    endless: set[str] = set()
    for match in _BLOCK.finditer(text):
        kind = match[1].lower()
        if match.start() < kept_until or kind in endless:
            continue
        end = _BLOCK_ENDS[kind].search(text, match.end())
        if end is None:
            endless.add(kind)
            continue
        pieces.append(text[kept_until : match.start()])
        kept_until = end.end()
    return " ".join([*pieces, text[kept_until:]])
