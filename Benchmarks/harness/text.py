"""How numbers and tables are written."""


def duration(ns: float) -> str:
    """Three significant digits with the unit that suits: 24.1 ns, 4.21 µs, 130 ms."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size * 0.9995:
            return f"{_digits(ns / size)} {unit}"
    return f"{_digits(ns)} ns"


def ratio(value: float) -> str:
    """Such as 1.04×, 35.2×, 410×."""
    return f"{_digits(value)}×"


def mebibytes(kib: float) -> str:
    return f"{kib / 1024:.1f} MiB"


def _digits(value: float) -> str:
    if value == 0:
        return "0"
    if value < 9.995:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """Cells are aligned, so that the table reads well without being rendered."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    def row(cells: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"
    return "\n".join([row(header), row(["-" * width for width in widths]), *map(row, rows)])
