"""The built-in miners.

A miner looks at the embeddings of a batch and names pairs or triplets to learn from. For a loss over pairs or
triplets (triplet, contrastive, circle, supcon, multi-similarity) only these count. A classification loss
(arcface, subcenter-arcface) has no pairs: there a miner merely weights images by how often they were named.
"""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Miner
from wildreid_plugins.miners.distance_weighted import DistanceWeighted
from wildreid_plugins.miners.easy import Easy
from wildreid_plugins.miners.hard import Hard
from wildreid_plugins.miners.multi_similarity import MultiSimilarityMining
from wildreid_plugins.miners.none import NoMining
from wildreid_plugins.miners.semi_hard import SemiHard


@hookimpl
def wildreid_miners() -> list[type[Miner]]:
    """What `wildreid.hookspecs.wildreid_miners` asks for."""
    return [DistanceWeighted, Easy, Hard, MultiSimilarityMining, NoMining, SemiHard]
