"""A bar chart of the ratios to native, as SVG."""

import itertools
import math
from html import escape

from . import text
from .environments import NATIVE, names
from .placements import Placement
from .runner import OK
from .session import Session

# Distinguishable with colour vision deficiencies (Okabe and Ito). An environment has the same colour in every chart.
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b3a300", "#555555", "#999999", "#000000",
           "#882255", "#44aa99")
COLOURS = dict(zip(names(), itertools.cycle(PALETTE)))
LABELS, PLOT, MARGIN, BAR, GAP, HEADER, LEGEND_ROW = 170, 760, 90, 11, 12, 78, 20
LEGEND_COLUMNS = 5
STYLE = "text { font: 12px sans-serif; fill: #222 } .title { font-size: 16px; font-weight: bold } .small { font-size: 10px }"


class _Scale:
    """Logarithmic, from a power of ten to a power of ten, with 1 in it."""

    def __init__(self, ratios: list[float]):
        self.low = math.floor(math.log10(min([1.0, *ratios])) + 1e-9)
        self.high = max(1, math.ceil(math.log10(max([1.0, *ratios])) - 1e-9))

    def x(self, value: float) -> float:
        return LABELS + PLOT * (math.log10(value) - self.low) / (self.high - self.low)

    def lines(self) -> list[float]:
        """1, 2 and 5 times each power of ten."""
        values = [step * 10.0**power for power in range(self.low, self.high) for step in (1, 2, 5)]
        return [*values, 10.0**self.high]


def _grid(scale: _Scale, top: float, bottom: float) -> list[str]:
    parts = []
    for value in scale.lines():
        x = scale.x(value)
        colour = "#666" if value == 1 else "#ddd"
        parts.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" stroke="{colour}"/>')
        for y in (top - 5, bottom + 14):
            parts.append(f'<text class="small" x="{x:.1f}" y="{y}" text-anchor="middle">{value:g}×</text>')
    return parts


def _bar(scale: _Scale, value: float, y: float, colour: str) -> list[str]:
    start, end = sorted((scale.x(1), scale.x(value)))
    return [
        f'<rect x="{start:.1f}" y="{y}" width="{max(end - start, 1):.1f}" height="{BAR - 1}" fill="{colour}"/>',
        f'<text class="small" x="{end + 3:.1f}" y="{y + BAR - 2}">{text.ratio(value)}</text>',
    ]


def _legend(shown: list[str]) -> list[str]:
    parts = []
    for index, name in enumerate(shown):
        x, y = LABELS + index % LEGEND_COLUMNS * 150, 34 + index // LEGEND_COLUMNS * LEGEND_ROW
        parts.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{COLOURS[name]}"/>')
        parts.append(f'<text x="{x + 17}" y="{y + 10}">{escape(name)}</text>')
    return parts


def _trouble(session: Session, placement: Placement, environment: str, job: str) -> str:
    taken = session.samples.of(placement.name, environment, job)
    return next((sample.status for sample in taken if sample.status != OK), "not run")


def svg(session: Session, placement: Placement) -> str:
    """One group of bars for each job, one bar for each environment; a bar starts at 1, where native is."""
    shown = [name for name in session.environments if name != NATIVE]
    median = session.samples.median
    jobs = [(job.name, native) for job in session.jobs if (native := median(placement.name, NATIVE, job.name))]
    values = {(job, name): value / native for job, native in jobs for name in shown
              if (value := median(placement.name, name, job))}
    scale = _Scale(list(values.values()))
    top = HEADER + (max(len(shown), 1) - 1) // LEGEND_COLUMNS * LEGEND_ROW
    group = max(len(shown), 1) * BAR + GAP
    bottom = top + len(jobs) * group
    width, height = LABELS + PLOT + MARGIN, bottom + 30

    parts = [f'<text class="title" x="16" y="20">Cost as a multiple of native, {escape(placement.description)}</text>']
    parts += _legend(shown) + _grid(scale, top, bottom)
    for row, (job, _) in enumerate(jobs):
        y = top + row * group + GAP // 2
        parts.append(f'<text x="{LABELS - 8}" y="{y + (group - GAP) / 2 + 4}" text-anchor="end">{escape(job)}</text>')
        for index, name in enumerate(shown):
            at = y + index * BAR
            if (job, name) in values:
                parts += _bar(scale, values[job, name], at, COLOURS[name])
            else:
                trouble = escape(f"{name}: {_trouble(session, placement, name, job)}")
                parts.append(f'<text class="small" x="{scale.x(1) + 3:.1f}" y="{at + BAR - 2}">{trouble}</text>')
    body = "\n".join(parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
            f'<style>{STYLE}</style>\n<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n')
