"""The built-in splitters."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Splitter
from wildreid_plugins.splitters.closed_set import ClosedSet
from wildreid_plugins.splitters.disjoint_set import DisjointSet
from wildreid_plugins.splitters.given import Given
from wildreid_plugins.splitters.open_set import OpenSet
from wildreid_plugins.splitters.random import Random
from wildreid_plugins.splitters.time_cutoff import TimeCutoff


@hookimpl
def wildreid_splitters() -> list[type[Splitter]]:
    """What `wildreid.hookspecs.wildreid_splitters` asks for."""
    return [OpenSet, DisjointSet, ClosedSet, TimeCutoff, Given, Random]
