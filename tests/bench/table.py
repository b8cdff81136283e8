"""What every benchmark prints: a table for people, or with --json rows for machines."""

import json
import os
import platform


def show(rows, as_json, remarks=()):
    """rows: dicts with measure, value, beside (name or None), beside_value, ratio."""
    if as_json:
        print(json.dumps({"rows": rows}))
        return
    header = ("measure", "ours", "beside", "its", "ratio")
    cells = [header] + [
        (
            row["measure"],
            _number(row["value"]),
            row["beside"] or "–",
            _number(row["beside_value"]),
            _number(row["ratio"]),
        )
        for row in rows
    ]
    widths = [max(len(line[i]) for line in cells) for i in range(len(header))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    print(f"\n{os.cpu_count()} cores, {platform.system()} {platform.release()}")
    for row in rows:
        if "missing" in row:
            print(f"missing: {row['measure']}: {row['missing']}")
    for remark in remarks:
        print(remark)


def missing(measure, why, beside=None):
    """A row that cannot be measured yet, and why: never a number that was not measured."""
    empty = {"measure": measure, "value": None, "beside": beside, "beside_value": None, "ratio": None}
    return {**empty, "missing": why}


def row(measure, value, beside=None, beside_value=None):
    ratio = value / beside_value if beside_value else None
    return {
        "measure": measure,
        "value": round(value, 3),
        "beside": beside,
        "beside_value": round(beside_value, 3) if beside_value is not None else None,
        "ratio": round(ratio, 3) if ratio is not None else None,
    }


def _number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"
