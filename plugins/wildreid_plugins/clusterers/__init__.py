"""The built-in clusterers."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Clusterer
from wildreid_plugins.clusterers.average_linkage import AverageLinkage
from wildreid_plugins.clusterers.connected_components import ConnectedComponents
from wildreid_plugins.clusterers.hdbscan import Hdbscan


@hookimpl
def wildreid_clusterers() -> list[type[Clusterer]]:
    """What `wildreid.hookspecs.wildreid_clusterers` asks for."""
    return [AverageLinkage, ConnectedComponents, Hdbscan]
