"""Stands in for the worker: answers as it does, without UMAP; an environment variable says what goes wrong."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

WRONG = os.environ.get("STAND_IN", "")

told = json.loads(sys.stdin.readline())
if WRONG == "dies":
    sys.exit("no module named umap")
for line in sys.stdin:
    asked = json.loads(line)
    if WRONG == "starves" and sys.argv[2] != "0":
        time.sleep(60)
    if WRONG == "hangs" and asked.get("epoch") == 2:
        time.sleep(60)
    answer = {"epoch": asked.get("epoch")}
    if asked:
        waiting = Path(asked["waiting"])
        shape = np.load(waiting).shape
        picture = Path(sys.argv[1]) / f"epoch-{asked['epoch']:04d}.png"
        picture.write_text(f"{shape} {told['note']}")
        waiting.unlink()
        answer |= {"failed": "no layout"} if WRONG == "fails" else {"picture": str(picture)}
    print(json.dumps(answer), flush=True)
