"""The built-in losses."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Loss
from wildreid_plugins.losses.arcface import ArcFace
from wildreid_plugins.losses.circle import Circle
from wildreid_plugins.losses.contrastive import Contrastive
from wildreid_plugins.losses.cross_batch_memory import CrossBatchMemory
from wildreid_plugins.losses.dynamic_arcface import DynamicArcFace
from wildreid_plugins.losses.elastic_arcface import ElasticArcFace
from wildreid_plugins.losses.multi_similarity import MultiSimilarity
from wildreid_plugins.losses.pml import Pml
from wildreid_plugins.losses.subcenter_arcface import SubcenterArcFace
from wildreid_plugins.losses.sum import Sum
from wildreid_plugins.losses.supcon import SupCon
from wildreid_plugins.losses.triplet import Triplet


@hookimpl
def wildreid_losses() -> list[type[Loss]]:
    """What `wildreid.hookspecs.wildreid_losses` asks for."""
    return [
        ArcFace,
        Circle,
        Contrastive,
        CrossBatchMemory,
        DynamicArcFace,
        ElasticArcFace,
        MultiSimilarity,
        Pml,
        SubcenterArcFace,
        Sum,
        SupCon,
        Triplet,
    ]
