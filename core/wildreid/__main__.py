"""``python -m wildreid`` is `reid`; ``torchrun -m wildreid`` needs it so."""

import os
import sys

from wildreid.cli import main

if __name__ == "__main__":
    try:
        main()
    except SystemExit as ended:
        if "RANK" not in os.environ:
            raise
        # torch's threads of communication may abort an interpreter that takes itself down, and with it a run
        # that is finished and written; so a process that torchrun started just leaves
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended.code if isinstance(ended.code, int) else int(bool(ended.code)))
