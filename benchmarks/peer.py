"""A peer in a process of its own, asked over its standard input; ``benchmarks/peers`` has the other end.

``nox -s peers`` makes the environments in ``.nox/peers``; what kept one from being made lies beside it as text.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.timing import Seconds

ROOT = Path(__file__).parent.parent
ENVIRONMENTS = ROOT / ".nox" / "peers"


@dataclass(frozen=True)
class Known:
    """A peer that the project is measured beside.

    Attributes:
        name: of its package.
        script: its module in ``benchmarks/peers``.
        own: whether it needs an environment of its own.
    """

    name: str
    script: str
    own: bool = True

    @property
    def python(self) -> Path:
        """The interpreter that it runs in, which need not be there."""
        if not self.own:
            return Path(sys.executable)
        places = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
        return ENVIRONMENTS / self.name / Path(*places)

    @property
    def missing(self) -> str | None:
        """Why it cannot be measured; None where it can."""
        reason = ENVIRONMENTS / f"{self.name}.txt"
        if self.own and reason.is_file():
            return reason.read_text(encoding="utf-8").strip()
        return None if self.python.is_file() else "no environment: nox -s peers makes it"


OURS = Known("wildreid", "ours", own=False)
PEERS = (
    Known("wildlife-tools", "wildlife_tools"),
    Known("open-metric-learning", "open_metric_learning"),
    Known("pytorch-metric-learning", "pytorch_metric_learning", own=False),
)


class PeerError(Exception):
    """What a peer said when it failed."""


class Peer:
    """A running peer; a context manager that ends it.

    Args:
        known: which.
        threads: that its libraries compute with.

    Raises:
        PeerError: it does not start.
    """

    def __init__(self, known: Known, threads: int) -> None:
        self.known = known
        paths = [str(ROOT)] if known.own else [str(ROOT), *filter(None, sys.path)]
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(paths), TOKENIZERS_PARALLELISM="false")
        environment |= {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115, until it ends
        self._process = subprocess.Popen(
            [str(known.python), "-m", f"benchmarks.peers.{known.script}"], cwd=ROOT, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True,
        )  # fmt: skip
        try:
            self.versions: dict[str, str] = self._ask(versions=True)["versions"]
        except PeerError:
            self.__exit__()
            raise

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process, self._said:  # its end of file ends it
            pass

    @property
    def title(self) -> str:
        """Its name and version, as the page's columns say it."""
        return f"{self.known.name} {self.versions[self.known.name]}"

    def prepare(self, work: str, **settings: Any) -> None:
        """Make a work ready; nothing of it is timed."""
        self._ask(prepare=work, **{"with": settings})

    def run(self) -> Seconds:
        """Do the work once."""
        return Seconds(*self._ask(run=True)["seconds"])

    def figures(self) -> dict[str, float]:
        """The numbers that the last run gave."""
        with tempfile.TemporaryDirectory() as folder:
            self._ask(keep=str(Path(folder) / "figures.json"))
            found: dict[str, float] = json.loads((Path(folder) / "figures.json").read_text("utf-8"))
        return found

    def vectors(self) -> np.ndarray:
        """(rows, width) what the last run gave."""
        with tempfile.TemporaryDirectory() as folder:
            self._ask(keep=str(Path(folder) / "vectors.npy"))
            return np.asarray(np.load(Path(folder) / "vectors.npy"))

    def _ask(self, **question: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._process.wait()
            self._said.seek(0)
            said = self._said.read().strip().splitlines() or ["it said nothing"]
            raise PeerError(f"{self.known.name} ended: {said[-1]}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(f"{self.known.name}: {answer['error']}")
        return answer


def alike(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """(rows,) the cosine between the two sides' embeddings, each side's mean taken off.

    The mean is what all images share: with it, any two images' embeddings are alike.
    """
    sides = []
    for vectors in (mine, theirs):
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        centred = unit - unit.mean(axis=0)
        sides.append(centred / np.linalg.norm(centred, axis=1, keepdims=True))
    return np.einsum("ij,ij->i", *sides)
