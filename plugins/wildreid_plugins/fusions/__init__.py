"""The built-in fusions."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Fusion
from wildreid_plugins.fusions.mean import CalibratedMean
from wildreid_plugins.fusions.most import Maximum
from wildreid_plugins.fusions.reciprocal import ReciprocalRank


@hookimpl
def wildreid_fusions() -> list[type[Fusion]]:
    """What `wildreid.hookspecs.wildreid_fusions` asks for."""
    return [CalibratedMean, Maximum, ReciprocalRank]
