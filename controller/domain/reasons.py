"""Why a run has its config, and why early termination let it live or not: sentences for people."""

from __future__ import annotations

from typing import Any

from controller.domain.runs import Run
from controller.domain.sweeps import Goal, SweepConfig


def why_suggested(reason: dict[str, Any], config: SweepConfig) -> str:
    """Return why search proposed a config, from the reason that travels with it; empty: unknown."""
    metric = config.metric.name if config.metric else "the metric"
    match reason.get("model"):
        case "grid":
            return f"grid cell {_number(reason.get('index', 0) + 1)} of {_number(reason.get('of'))}"
        case "random":
            because = f"; {reason['because']}" if reason.get("because") else ""
            points = f" of {_number(reason['of'])} points" if reason.get("of") else ""
            return f"drawn at random{points}{because}"
        case "design":
            if reason.get("point") is None:
                return "far from all that was tried, before there is a model"
            return (
                f"point {reason['point'] + 1} of {_number(reason.get('of'))} laid out before there is a model"
            )
        case "process":
            parts = [f"the model expects {metric} about {_number(reason.get('mean'))}"]
            if reason.get("log_ei") is not None:
                parts.append(f"log expected improvement {_number(reason['log_ei'])}")
            if reason.get("failure"):
                parts.append(f"chance of failure {reason['failure']:.0%}")
            return ", ".join(parts)
        case _:
            return ", ".join(f"{key} {_number(value)}" for key, value in reason.items())


def why_judged(run: Run, config: SweepConfig) -> str:
    """Return why early termination stopped a run, or let it go on; empty: it was not judged yet."""
    verdict = run.verdict
    if verdict is None or config.metric is None:
        return ""
    if verdict.threshold is None:
        return f"{'stopped' if verdict.stop else 'went on'} at value {verdict.band}: it was no number"
    metric, strict = config.metric, config.early_terminate is not None and config.early_terminate.strict
    what = f"{metric.name} there" if strict else f"best {metric.name} so far"
    worse = "above" if metric.goal is Goal.MINIMIZE else "below"
    relation = worse if verdict.stop else f"not {worse}"
    if verdict.n_at_band == 1 and not verdict.stop:
        return f"went on at band {verdict.band}: the first run to come so far"
    fate = "stopped" if verdict.stop else "went on"
    return (
        f"{fate} at band {verdict.band}: {what}, {_number(verdict.value)}, "
        f"is {relation} {_number(verdict.threshold)}, the limit among {verdict.n_at_band} runs"
    )


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
