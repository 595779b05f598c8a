"""The bear pack: readers for the bears that people photograph, and bears that a program draws."""

from __future__ import annotations

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Dataset

from .bearid import BearID, BearIDXML
from .brown_bear_heads import BrownBearHeads
from .drawn import DrawnBears


@hookimpl
def wildreid_datasets() -> list[type[Dataset]]:
    """Data sets of bears."""
    return [BearID, BearIDXML, BrownBearHeads, DrawnBears]
