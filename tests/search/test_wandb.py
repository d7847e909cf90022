import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.search.questions import agree, questions

HERE = Path(__file__).parent
ANSWERS = HERE / "wandb_answers.json"
RECORDED = 60
SEED = 20


def ask(python, asked):
    text = "\n".join(map(json.dumps, asked))
    done = subprocess.run(
        [str(python), str(HERE / "wandb_engine.py")], input=text, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_search_agrees_with_recorded_answers_of_wandb():
    answers = json.loads(ANSWERS.read_text())
    asked = questions(RECORDED, SEED)
    assert len(answers) == len(asked)
    wrong = [(q, a) for q, a in zip(asked, answers, strict=True) if not agree(q, a)]
    assert wrong == []


@pytest.mark.torture
@pytest.mark.timeout(900)
def test_search_agrees_with_the_installed_engine_of_wandb(tmp_path):
    # Its pins clash with ours, so it lives in an environment of its own.
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "sweeps==0.3.0"], check=True)
    asked = questions(400, 21)
    wrong = [(q, a) for q, a in zip(asked, ask(python, asked), strict=True) if not agree(q, a)]
    assert wrong == []


def main():
    """Record W&B's answers anew: `python -m tests.search.test_wandb PYTHON_WITH_SWEEPS`."""
    answers = ask(Path(sys.argv[1]), questions(RECORDED, SEED))
    ANSWERS.write_text("[\n" + ",\n".join(map(json.dumps, answers)) + "\n]\n")


if __name__ == "__main__":
    main()
