"""What search.py found: tables per problem, and a picture of the means."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import numpy as np
from search_problems import Problem

MARKS = (15, 30, 60, 120)
"""Numbers of runs after which regret is taken."""

COLORS = ("green", "red", "blue", "magenta", "cyan")
PLAIN = re.compile(r"\x1b\[[0-9;]*m")


def report(
    rows: dict[tuple[str, ...], dict[str, Any]], problems: list[Problem], engines: list[str], agents: int
) -> None:
    """Print the tables of one number of agents."""
    table: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    failed: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows.values():
        if int(row["agents"]) == agents:
            table[row["problem"], row["engine"], int(row["runs"])].append(float(row["regret"]))
            failed[row["problem"], row["engine"]].append(float(row["failed"]))
    for kind in ("synthetic", "real"):
        chosen = [p for p in problems if p.kind == kind]
        if not chosen:
            continue
        print(f"\n{kind}, {agents} agent(s): median regret (normalised mean) after {MARKS} runs")
        for p in chosen:
            for engine in engines:
                cells, share = [], np.mean(failed.get((p.name, engine), [0.0]))
                for mark in MARKS:
                    mine, base = table.get((p.name, engine, mark)), table.get((p.name, "random", mark))
                    if mine and base:
                        cells.append(f"{np.median(mine):9.4g} ({_ratio(mine, base):5.2f})")
                print(f"  {p.name:20s} {engine:7s} {'  '.join(cells)}  failed {share:.0%}")
        print(f"normalised mean over {len(chosen)} problems:")
        for engine in engines:
            means = []
            for mark in MARKS:
                ratios = [
                    _ratio(table[p.name, engine, mark], table[p.name, "random", mark])
                    for p in chosen
                    if (p.name, engine, mark) in table and (p.name, "random", mark) in table
                ]
                means.append(f"{np.mean(ratios):.3f}" if ratios else "-")
            print(f"  {engine:7s} {' / '.join(means)}")


def _ratio(mine: list[float], base: list[float]) -> float:
    """Return mean regret as a share of random's; two perfect engines are equal at 0."""
    a, b = np.mean(np.minimum(mine, 1e6)), np.mean(np.minimum(base, 1e6))
    return float(a / b) if b > 1e-12 else float(a > 1e-12)


def picture(rows: dict[tuple[str, ...], dict[str, Any]], engines: list[str]) -> str:
    """Return the normalised mean drawn against the number of runs, with its figures.

    A point is a mean over those problems that every engine shown has run for so long.
    """
    parts = []
    for agents in ("1", "8"):
        found: dict[tuple[str, str, int], list[float]] = defaultdict(list)
        for row in rows.values():
            if row["agents"] == agents or row["agents"] == int(agents):
                found[row["engine"], row["problem"], int(row["runs"])].append(float(row["regret"]))
        shown = [engine for engine in engines if any(key[0] == engine for key in found)]
        means: dict[str, list[tuple[int, float]]] = {engine: [] for engine in shown}
        lines = []
        for mark in MARKS:
            names = {key[1] for key in found if key[2] == mark}
            able = [e for e in shown if mark <= 60 or any(k[0] == e and k[2] == mark for k in found)]
            names = {name for name in names if all((e, name, mark) in found for e in able)}
            for engine in able if names else []:
                ratios = [_ratio(found[engine, n, mark], found["random", n, mark]) for n in sorted(names)]
                means[engine].append((mark, float(np.mean(ratios))))
            told = "  ".join(f"{engine} {dict(means[engine])[mark]:.3f}" for engine in able if names)
            lines.append(f"{mark:4d} runs, {len(names)} problems:  {told}")
        parts.append(_chart(f"{agents} agent(s): normalised mean regret (random = 1) against runs", means))
        parts.extend(lines)
        counts = {e: [len(v) for k, v in found.items() if k[0] == e and k[2] == 60] for e in shown}
        parts.append("seeds: " + ", ".join(f"{e} {min(n)}" for e, n in counts.items() if n) + "\n")
    return "\n".join(parts)


def _chart(title: str, means: dict[str, list[tuple[int, float]]]) -> str:
    import plotext

    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.plot_size(90, 22)
    for index, (engine, points) in enumerate(means.items()):
        xs, ys = [x for x, _ in points], [y for _, y in points]
        if xs:
            color = COLORS[index % len(COLORS)]
            figure.draw(figure.signal(xs, ys, marker=plotext.marker("braille", color)).lines())
            figure.draw(figure.text(xs[-1], ys[-1], engine, alignment="right"))
    figure.title(title)
    return PLAIN.sub("", str(figure.build().string())).rstrip() + "\n"
