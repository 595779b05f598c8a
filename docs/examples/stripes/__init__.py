"""The species pack stripes: animals that are known by their flanks, of which the left is not the right."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Dataset, Metric, Splitter

from .animals import WholeAnimals
from .drawn import DrawnStripes
from .sides import Sides


@hookimpl
def wildreid_datasets() -> list[type[Dataset]]:
    """Where the photos come from."""
    return [DrawnStripes]


@hookimpl
def wildreid_splitters() -> list[type[Splitter]]:
    """How they are divided."""
    return [WholeAnimals]


@hookimpl
def wildreid_metrics() -> list[type[Metric]]:
    """What is measured beside the usual."""
    return [Sides]
