#!/usr/bin/env bash
# All that is measured on a GPU, in eight minutes: bash benchmarks/gpu.sh [--rehearse] [--out FOLDER]
# It needs this checkout, torch and the other libraries of pyproject.toml; wildreid itself need not be installed.
# Each row is written when it is there, so that the page is good whenever the script is cut off.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-$(command -v python3 || command -v python)}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
# what an installation would say of the project, for a machine on which nothing can be installed
"$python" - "$place" <<'PYTHON'
import sys, tomllib
from pathlib import Path
project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
folder = Path(sys.argv[1]) / f"wildreid-{project['version']}.dist-info"
folder.mkdir()
(folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: wildreid\nVersion: {project['version']}\n")
plugins = "".join(f"{name} = {module}\n" for name, module in project["entry-points"]["wildreid"].items())
(folder / "entry_points.txt").write_text(f"[wildreid]\n{plugins}")
PYTHON
export PYTHONPATH="$PWD:$PWD/core:$PWD/plugins:$PWD/species:$place${PYTHONPATH:+:$PYTHONPATH}"
export WILDREID_CACHE="$place/cache" TORCHINDUCTOR_CACHE_DIR="$place/compiled" WILDREID_PLUGINS=builtin WILDREID_QUIET=1
if command -v timeout > /dev/null; then
  timeout --signal=INT --kill-after=10 465 "$python" -m benchmarks.gpu "$@" || { code=$?; [ $code -eq 124 ] || [ $code -eq 137 ]; }
else
  "$python" -m benchmarks.gpu "$@"
fi
