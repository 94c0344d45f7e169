"""Short notes that hint at a digit without naming it, in English or Chinese."""

from dataclasses import dataclass

import numpy as np

LANGUAGES = ("en", "zh")
HINT_COUNTS = (0.04, 0.2, 0.76)
"""Chances of a note with no hint, one, and two."""
WRONG_HINT = 0.1
"""Share of the notes whose hints belong to another digit."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something true of some digits, and ways to say it."""

    digits: frozenset[int]
    wordings: dict[str, tuple[str, ...]]


def _fact(digits: str, *, en: tuple[str, ...], zh: tuple[str, ...]) -> Fact:
    """Return a fact about the digits written in ``digits``."""
    return Fact(frozenset(map(int, digits)), {"en": en, "zh": zh})


FAMILIES: tuple[tuple[Fact, ...], ...] = (
    (
        _fact(
            "02468",
            en=("it is an even figure", "an even value", "even, so it halves cleanly"),
            zh=("是个偶数", "偶数那类", "属于偶数，可以平分"),
        ),
        _fact(
            "13579",
            en=("it is an odd figure", "an odd value", "odd, so it does not halve"),
            zh=("是个奇数", "奇数那类", "属于奇数，不能平分"),
        ),
    ),
    (
        _fact(
            "012",
            en=("a small value", "really small", "small, near the bottom of the scale"),
            zh=("数值很小", "比较小", "偏小，靠近底端"),
        ),
        _fact(
            "3456",
            en=("a middle value", "around the middle", "middle of the scale"),
            zh=("数值居中", "在中间", "大约是中间位置"),
        ),
        _fact(
            "789",
            en=("a large value", "rather large", "large, near the top of the scale"),
            zh=("数值很大", "比较大", "偏大，靠近顶端"),
        ),
    ),
    (
        _fact(
            "0689",
            en=("drawn with a closed loop", "the ink makes a loop", "there is a loop in it"),
            zh=("写起来有圆圈", "里面有个圆圈", "笔迹绕成圆圈"),
        ),
        _fact(
            "147",
            en=("made of straight strokes", "only straight lines", "straight, no curve at all"),
            zh=("笔画都是直线", "只有直线", "由直线写成，不弯"),
        ),
        _fact(
            "235",
            en=("curved but left open", "an open curve", "it bends and stays open"),
            zh=("弯曲但不封口", "有弯曲，没有封口", "弯曲的，开着口"),
        ),
    ),
)
"""Families of facts; within a family every digit has exactly one fact."""

OPENERS = {
    "en": (
        "Seen on the lab door:",
        "From the morning round:",
        "Copied in a hurry,",
        "The clerk says",
        "Label on the blue box:",
        "As far as I can tell,",
        "Reading of the left dial:",
        "Notes from the visit:",
        "The sheet was damp,",
        "Asked again at noon:",
        "Platform sign, badly lit:",
        "Sorry for the scrawl;",
    ),
    "zh": (
        "实验室门上写的：",
        "早班记录：",
        "匆忙抄下，",
        "管理员说",
        "蓝色箱子的标签：",
        "据我所知，",
        "左边表盘的读数：",
        "走访笔记：",
        "纸有点湿，",
        "中午又问了问：",
        "站台牌子，光线不好：",
        "字迹潦草，抱歉；",
    ),
}
CLOSERS = {
    "en": (
        "please check later",
        "the rest is smudged",
        "filed with the others",
        "will ask Maria",
        "not urgent",
        "same place as before",
        "photo attached",
        "recorded near the gate",
        "it rained all day",
        "",
        "",
    ),
    "zh": (
        "请稍后核对",
        "其余看不清",
        "已归档",
        "回头问小王",
        "不急",
        "地点和上次相同",
        "附照片",
        "在大门旁记录",
        "整天下雨",
        "",
        "",
    ),
}
NO_HINT = {
    "en": ("nothing more to say", "could not read it", "see the recording"),
    "zh": ("没有更多说明", "没看清楚", "请听录音"),
}


def write_note(digit: int, *, rng: np.random.Generator) -> str:
    """Return a note about ``digit``: mostly helpful, sometimes empty of hints, sometimes wrong."""
    language = LANGUAGES[rng.integers(len(LANGUAGES))]
    if rng.random() < WRONG_HINT:
        digit = (digit + int(rng.integers(1, 10))) % 10
    count = int(rng.choice(len(HINT_COUNTS), p=HINT_COUNTS))
    families = rng.choice(len(FAMILIES), count, replace=False)
    hints = [_say_fact(digit, FAMILIES[family], language, rng) for family in families]
    opener = _pick(OPENERS[language], rng)
    body = hints or [_pick(NO_HINT[language], rng)]
    closer = _pick(CLOSERS[language], rng)
    return _join(opener, [*body, closer] if closer else body, language)


def _say_fact(digit: int, family: tuple[Fact, ...], language: str, rng: np.random.Generator) -> str:
    """Say the fact of ``family`` that is true of ``digit``."""
    (fact,) = (fact for fact in family if digit in fact.digits)
    return _pick(fact.wordings[language], rng)


def _pick(wordings: tuple[str, ...], rng: np.random.Generator) -> str:
    """Draw one of ``wordings``."""
    return wordings[rng.integers(len(wordings))]


def _join(opener: str, parts: list[str], language: str) -> str:
    """Put a note together as its language does."""
    if language == "zh":
        return opener + "，".join(parts) + "。"
    return f"{opener} {', '.join(parts)}."
