"""The built-in re-rankers."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Reranker
from wildreid_plugins.rerankers.expansion import QueryExpansion
from wildreid_plugins.rerankers.k_reciprocal import KReciprocal


@hookimpl
def wildreid_rerankers() -> list[type[Reranker]]:
    """What `wildreid.hookspecs.wildreid_rerankers` asks for."""
    return [KReciprocal, QueryExpansion]
