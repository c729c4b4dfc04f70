"""Colours, fonts and SVG text that all pictures share; matplotlib is imported inside functions."""

from __future__ import annotations

import html
import io
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from custvalue._warn import warn_caller
from custvalue._words import HOUSE, Language, check_language
from custvalue.exceptions import FontWarning

# Okabe & Ito (2008): eight colours that people with any colour vision can tell apart. Orange is a
# shade darker than theirs, so that words in it can be read on white (WCAG 2.2 AA, 4.5 to 1).
BLUE = "#0072B2"
ORANGE = "#C44E00"
GREEN = "#007A5A"
AMBER = "#E69F00"
SKY = "#56B4E9"
BAR = "#4292C6"  # 3 to 1 against white, as a shape that carries a number needs
PINK = "#CC79A7"
INK = "#1f2933"
MUTED = "#52606d"
GRID = "#e4e7eb"
CYCLE = (BLUE, AMBER, GREEN, PINK, SKY, ORANGE, "#999999", "#F0E442")
SEQUENTIAL = "Blues"  # one hue, light to dark: safe for every colour vision, and in print

UNITS = {"D": "days", "W": "weeks", "M": "months", "Y": "years"}
CJK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "Noto Sans CJK JP",
)
_HAN = re.compile("[\u2e80-\u9fff\uff00-\uffef]")
DRAWING = threading.RLock()  # held while a setting of the whole process differs
FONT_ADVICE = (
    "install one, for example Noto Sans CJK (Debian and Ubuntu: fonts-noto-cjk), or save the "
    "figure as SVG with custvalue.plotting.svg_text, which leaves the letters to the reader's "
    "browser"
)


def word(text: str, language: Language = "en") -> str:
    """``text`` in the language asked for; a word of the user's own stays as it is."""
    return str(HOUSE.name(text, language))


def words(texts: Any, language: Language = "en") -> list[str]:
    """`word` over many."""
    return [word(str(text), language) for text in texts]


def state_names(states: Any) -> list[str]:
    """States of a chain as text: ``(0, 1, 2)`` becomes ``0-1-2``."""
    return ["-".join(map(str, s)) if isinstance(s, tuple) else str(s) for s in states]


def luminance(colour: Any) -> float:
    """Relative luminance of a colour, 0 black to 1 white (WCAG 2.2)."""
    from matplotlib.colors import to_rgb

    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])


def contrast(one: Any, other: Any) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def ink_on(colour: Any) -> str:
    """Black or white, whichever is easier to read on ``colour``: never below 4.5 to 1."""
    return max(("black", "white"), key=lambda ink: contrast(ink, colour))


def chinese_font() -> str | None:
    """Name of an installed font with Chinese letters, or None."""
    from matplotlib import font_manager

    have = set(font_manager.get_font_names())
    return next((name for name in CJK_FONTS if name in have), None)


def plain_numbers(axis: Any) -> None:
    """Write 400,000 rather than 4e5 on an axis."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}" if abs(v) >= 10 else f"{v:g}"))


def date_axis(ax: Any, language: Language, *, most: int) -> None:
    """Dates along the x axis in the language asked for, at most so many."""
    from matplotlib.dates import (
        DAILY,
        HOURLY,
        MINUTELY,
        MONTHLY,
        SECONDLY,
        AutoDateLocator,
        ConciseDateFormatter,
    )

    # steps long enough for so few dates: without them the locator warns, and sets too many
    locator = AutoDateLocator(minticks=min(3, most), maxticks=most)
    for unit, step in ((MONTHLY, 12), (DAILY, 28), (HOURLY, 24), (MINUTELY, 60), (SECONDLY, 60)):
        locator.intervald[unit] = [*locator.intervald[unit], step]
    formats: dict[str, list[str]] = {}
    if language == "zh":
        formats["formats"] = ["%Y年", "%m月", "%d日", "%H:%M", "%H:%M", "%S.%f"]
        formats["zero_formats"] = ["", "%Y年", "%m月", "%m月%d日", "%H:%M", "%H:%M"]
        formats["offset_formats"] = ["", "%Y年", "%Y年%m月", *["%Y年%m月%d日"] * 3]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, **formats))


def new_axes(size: tuple[float, float] = (6.4, 4.0)) -> Any:
    """Axes on a new figure that pyplot shows in a notebook."""
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def quiet_axes(ax: Any, *, grid: str | None = "y") -> None:
    """Take away what carries no information: two spines, tick marks, a heavy grid."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GRID)
    ax.tick_params(colors=MUTED, length=0)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(True, axis=grid, color=GRID, linewidth=0.8)
    for text in (ax.xaxis.label, ax.yaxis.label):
        text.set_color(INK)


def set_letters(ax: Any, language: Language) -> None:
    """Draw every text of ``ax`` as it is written, in a font that has its letters.

    A currency sign, a state or a segment may hold ``$``: it is text, no formula.

    Warns
    -----
    FontWarning
        If there are Chinese words and no installed font has Chinese letters.
    """
    from matplotlib.text import Text

    bars = [drawn.colorbar.ax for drawn in (*ax.images, *ax.collections) if drawn.colorbar]
    texts = [item for part in (ax, *bars) for item in part.findobj(Text)]
    for item in texts:
        if item is not ax.title:  # the user's own
            item.set_parse_math(False)
    if check_language(language) == "en" and not any(_HAN.search(t.get_text()) for t in texts):
        return
    found = chinese_font()
    if found is None:
        warn_caller(
            f"no installed font has Chinese letters (a PNG shows boxes); {FONT_ADVICE}.",
            FontWarning,
        )
    # names that are not installed still go into SVG text, where the reader's browser looks them up
    families = [found, "DejaVu Sans"] if found else ["DejaVu Sans"]
    for item in texts:
        item.set_fontfamily(families)
    for part in (ax, *bars):
        part.tick_params(labelfontfamily=families)


@contextmanager
def _settings(values: dict[str, Any]) -> Iterator[None]:
    """Set some of matplotlib's settings, one thread at a time, and put back these alone.

    How SVG is written can be said in no other way than by settings of the whole process, and
    ``rc_context`` would put back every setting, other threads' new ones too.
    """
    import matplotlib

    with DRAWING:
        before = {key: matplotlib.rcParams[key] for key in values}
        try:
            for key, value in values.items():
                matplotlib.rcParams[key] = value
            yield
        finally:
            for key, value in before.items():
                matplotlib.rcParams[key] = value


@contextmanager
def _letters_of(figure: Any) -> Iterator[None]:
    """Leave letters that no installed font has to the reader's browser, without a word.

    matplotlib warns of each, and that can be silenced for the whole process only; so it is done
    where letters are missing and nowhere else, behind the lock.
    """
    if not _letters_missing(figure):
        yield
        return
    with DRAWING, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        yield


def _letters_missing(figure: Any) -> bool:
    from matplotlib.font_manager import findfont, get_font, get_font_names
    from matplotlib.text import Text

    letters: dict[tuple[str, ...], set[str]] = {}
    for item in figure.findobj(Text):
        unusual = {c for c in item.get_text() if ord(c) > 126}
        if unusual:
            letters.setdefault(tuple(item.get_fontfamily()), set()).update(unusual)
    have = set(get_font_names()) if letters else set()
    for families, wanted in letters.items():
        named = [name for name in families if name in have] or ["DejaVu Sans"]
        for name in named:
            wanted -= {chr(code) for code in get_font(findfont(name)).get_charmap()}
    return any(letters.values())


def svg_text(figure: Any, *, name: str = "figure", title: str = "") -> str:
    """One figure as SVG whose letters stay text, the same bytes on every run.

    Parameters
    ----------
    figure : matplotlib Figure
    name : str, default="figure"
        Prefix of every id in the SVG, so that several can share a page: letters, digits, ``-``
        and ``_``, a letter first.
    title : str, default=""
        What a screen reader says of the picture.

    Returns
    -------
    str
        An ``<svg>`` element without XML header, scaling with the page.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from custvalue.plotting import svg_text
    >>> figure = Figure(figsize=(2, 1))
    >>> _ = figure.subplots().plot([0, 1])
    >>> text = svg_text(figure, name="line", title="A line")
    >>> text[:4], "A line" in text, text == svg_text(figure, name="line", title="A line")
    ('<svg', True, True)
    """
    if not re.fullmatch(r"[A-Za-z][\w-]*", name, flags=re.ASCII):
        raise ValueError(f"name={name!r} must be letters, digits, - and _, a letter first.")
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with _settings({"svg.fonttype": "none", "svg.hashsalt": name}), _letters_of(figure):
        figure.savefig(buffer, format="svg", metadata=nothing, facecolor="none")
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"\bid=\"", f'id="{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r"href=\"#", f'href="#{name}-', text)
    box = re.search(r'viewBox="([^"]+)"', text)
    assert box is not None  # matplotlib always writes one
    said = html.escape(title, quote=True)
    head = f'<svg viewBox="{box.group(1)}" role="img" aria-label="{said}" class="picture"'
    head += ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    text = re.sub(r"<svg[^>]*>", lambda _: head, text, count=1)
    if chinese_font() is None:
        fallback = ", ".join(f"'{f}'" for f in CJK_FONTS[:6])
        text = text.replace("'DejaVu Sans'", f"'DejaVu Sans', {fallback}")
    return text.strip() + "\n"
