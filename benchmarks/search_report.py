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
_MOST = 0.9
"""Share of our problems that an engine must have run to be drawn."""

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
    """Return the normalised mean drawn against the number of runs, with its figures and seeds.

    A point is a mean over the problems that every engine shown there has run for so long; an engine that
    has run few of them is left out.
    """
    parts = []
    for agents in ("1", "8"):
        found: dict[tuple[int, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for row in rows.values():
            if str(row["agents"]) == agents:
                found[int(row["runs"]), row["engine"]][row["problem"]].append(float(row["regret"]))
        means: dict[str, list[tuple[int, float]]] = {engine: [] for engine in engines}
        lines = []
        for mark in MARKS:
            most = max(len(found[mark, "ours"]), 1)
            able = [e for e in engines if len(found[mark, e]) >= _MOST * most]
            names = set.intersection(*(set(found[mark, e]) for e in able)) if able else set()
            told = []
            for engine in able if names else []:
                base, mine = found[mark, "random"], found[mark, engine]
                mean = float(np.mean([_ratio(mine[n], base[n]) for n in sorted(names)]))
                means[engine].append((mark, mean))
                told.append(f"{engine} {mean:.3f} (seeds {min(len(mine[n]) for n in names)})")
            lines.append(f"{mark:4d} runs, {len(names)} problems:  {'  '.join(told)}")
        parts.append(_chart(f"{agents} agent(s): normalised mean regret (random = 1) against runs", means))
        parts.extend([*lines, ""])
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
