"""Charts drawn on the server: stacked bars in SVG, with colours from the stylesheet and words for a screen reader.

Money becomes pixels here, which are floats; nothing is read back from them.
"""

import math
from collections.abc import Callable, Iterator
from decimal import Decimal

from babel.numbers import format_compact_decimal, format_decimal
from markupsafe import Markup

from tollbridge.server.operator.sheets import Bar, Chart, Words
from tollbridge.server.operator.writing import Writer

_WIDTH, _HEIGHT = 768, 300
_LEFT, _TOP, _BOTTOM = 78, 14, 40
_LINES = 4
_WIDEST = 56
_MANY = 1_000_000
_LABELS_WIDE, _LABELS_NARROW = 12, 6


def drawn(chart: Chart, writer: Writer) -> Markup:
    """The chart as a figure: what it shows in words first, then the bars, each with its own words."""
    name, summary = chart.name, _summary(chart, writer)
    svg = Markup(
        '<svg viewBox="0 0 {} {}" role="img" aria-labelledby="{}-words {}-told">'
        '<title id="{}-words">{}</title><desc id="{}-told">{}</desc>{}</svg>'
    ).format(
        _WIDTH, _HEIGHT, name, name, name, writer.html(chart.title), name, summary,
        Markup("").join(_inside(chart, writer)),
    )  # fmt: skip
    caption = Markup("<figcaption>{}</figcaption>").format(writer.html(chart.title))
    return Markup('<figure class="chart">{}{}{}</figure>').format(caption, svg, _key(chart, writer))


def _summary(chart: Chart, writer: Writer) -> Markup:
    """What there is to see, for whoever does not see it; the table has the rest."""
    tops = [bar for bar in chart.bars if not bar.coming]
    if not tops:
        return writer.html(Words("chart.none"))
    most = max(tops, key=_sum)
    return writer.html(
        Words("chart.summary", {
            "first": tops[0].of, "last": tops[-1].of, "most": most.of, "amount": _with_unit(chart, most, writer),
            "newest": _with_unit(chart, tops[-1], writer),
        })
    )  # fmt: skip


def _with_unit(chart: Chart, bar: Bar, writer: Writer) -> str:
    return f"{writer.plain(_sum(bar))} {writer.plain(chart.unit)}"


def _sum(bar: Bar) -> Decimal:
    return sum(bar.amounts, Decimal(0))


def _inside(chart: Chart, writer: Writer) -> Iterator[Markup]:
    step = _step(max((_sum(bar) for bar in chart.bars), default=Decimal(0)))
    top = step * _LINES
    room = _HEIGHT - _TOP - _BOTTOM

    def height(amount: Decimal) -> float:
        return float(amount / top) * room

    ground = _HEIGHT - _BOTTOM
    for number in range(_LINES + 1):
        y = ground - room * number / _LINES
        words = _scale(step * number, writer)
        kind = "grid" if number else "ground"
        yield Markup('<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(kind, _LEFT, _WIDTH, y, y)
        yield Markup('<text x="{}" y="{:.1f}" text-anchor="end" aria-hidden="true">{}</text>').format(
            _LEFT - 8, y + 5, words
        )
    slot = (_WIDTH - _LEFT) / max(len(chart.bars), 1)
    width = min(slot * 0.7, _WIDEST)
    wide, narrow = (max(1, math.ceil(len(chart.bars) / most)) for most in (_LABELS_WIDE, _LABELS_NARROW))
    for number, bar in enumerate(chart.bars):
        middle = _LEFT + slot * (number + 0.5)
        yield from _bar(chart, bar, middle - width / 2, width, height, writer)
        last = len(chart.bars) - 1 - number
        if last % wide == 0:
            yield Markup('<text class="{}" x="{:.1f}" y="{}" text-anchor="middle" aria-hidden="true">{}</text>').format(
                "thin" if last % narrow else "tick", middle, _HEIGHT - 10, writer.label(bar.of)
            )


def _bar(  # noqa: PLR0917
    chart: Chart, bar: Bar, x: float, width: float, height: Callable[[Decimal], float], writer: Writer
) -> Iterator[Markup]:
    y = float(_HEIGHT - _BOTTOM)
    for number, amount in enumerate(bar.amounts):
        tall = height(max(amount, Decimal(0)))
        if tall <= 0:
            continue
        y -= tall
        kind = "coming" if bar.coming else f"s{number}"
        series = writer.plain(Words(chart.series[number]))
        yield Markup(
            '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
        ).format(kind, x, y, width, max(tall - (1.5 if number else 0), 0.5),
                 f"{writer.plain(bar.of)}, {series}: {writer.plain(amount)} {writer.plain(chart.unit)}")  # fmt: skip


def _key(chart: Chart, writer: Writer) -> Markup:
    if len(chart.series) < 2:
        return Markup("")
    rows = (
        Markup(
            '<li><svg viewBox="0 0 14 14" aria-hidden="true"><rect class="s{}" width="14" height="14"/></svg>{}</li>'
        ).format(number, writer.html(Words(series)))
        for number, series in enumerate(chart.series)
    )
    return Markup('<ul class="key">{}</ul>').format(Markup("").join(rows))


def _scale(amount: Decimal, writer: Writer) -> str:
    """A number beside a line, in as few letters as can be read."""
    if amount < _MANY:
        return str(format_decimal(amount, locale=writer.language))
    return format_compact_decimal(amount, locale=writer.language, fraction_digits=1)


def _step(most: Decimal) -> Decimal:
    """The distance of the lines: 1, 2, 2.5 or 5 times a power of ten, so that the dearest bar fits below the last."""
    if most <= 0:
        return Decimal(1)
    wanted = most / _LINES
    power = Decimal(10) ** wanted.adjusted()
    return next(power * factor for factor in map(Decimal, ("1", "2", "2.5", "5", "10")) if power * factor >= wanted)
