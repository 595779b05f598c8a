"""``python -m wildreid`` is `reid`; ``torchrun -m wildreid`` needs it so."""

from wildreid.cli import main

if __name__ == "__main__":
    main()
