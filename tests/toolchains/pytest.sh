#!/usr/bin/env bash
# Makes a Python project in the current folder whose environment lies below HOME.
#   pytest.sh WHEELS: a folder with pytest and what it needs.
set -euo pipefail
# The system's, which the sandbox shows to everybody; another one may lie in a home folder that is not this one.
python=/usr/bin/python3
[[ -x $python ]] || python=python3
"$python" -m venv "$HOME/.virtualenvs/project"
"$HOME/.virtualenvs/project/bin/pip" install --quiet --no-index --find-links "$1" pytest
"$HOME/.virtualenvs/project/bin/pip" freeze >requirements.txt
cat >test_project.py <<'END'
import iniconfig


def test_answer(tmp_path):
    (tmp_path / "file").write_text("42")
    assert (tmp_path / "file").read_text() == "42" and iniconfig
END
