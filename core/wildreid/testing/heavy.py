"""Which line of a plugin imports a heavy library when the plugin is only looked at."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from wildreid.errors import UserError

HEAVY = (
    "torch", "torchvision", "timm", "pytorch_metric_learning", "kornia", "umap", "faiss", "sklearn",
    "matplotlib", "mlflow", "tensorboard", "optuna", "pandas", "pyarrow", "scipy", "imagehash", "jinja2",
)  # fmt: skip
"""What a plugin's module may import only inside its methods."""

_LOOK = """
import importlib, sys
from pathlib import Path

target, folder, heavy = sys.argv[1], sys.argv[2], set(sys.argv[3].split(","))

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in heavy:
            frame = sys._getframe(1)
            while frame is not None and not frame.f_code.co_filename.startswith(folder):
                frame = frame.f_back
            if frame is not None:
                heavy.clear()
                print("heavy", frame.f_code.co_filename, frame.f_lineno, name, sep="\\t")
        return None

sys.meta_path.insert(0, Watch())
if Path(target).is_dir():
    from wildreid.registry import Registry
    Registry(packs=[Path(target)], installed=False)
else:
    importlib.import_module(target)
"""


def heavy_import(plugin: str | Path) -> str | None:
    """``file:line imports torch`` where importing a plugin imports a heavy library, else None.

    The plugin is imported in a process of its own, so that what is loaded here already does not hide it.

    Args:
        plugin: the name of an importable module, or the folder of a species pack.

    Raises:
        UserError: there is no such module.
    """
    folder = Path(plugin)
    if folder.is_dir():
        target, inside = str(folder.resolve()), str(folder.resolve())
    else:
        spec = importlib.util.find_spec(str(plugin))
        if spec is None or spec.origin is None:
            raise UserError(f"there is no module or folder '{plugin}'")
        target = str(plugin)
        inside = str(Path(spec.origin).parent) if spec.submodule_search_locations else spec.origin
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, target, inside, ",".join(HEAVY)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    for line in done.stdout.splitlines():
        if line.startswith("heavy\t"):
            _, file, number, name = line.split("\t")
            return f"{file}:{number} imports {name}"
    return None
