"""The built-in metrics."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Metric
from wildreid_plugins.metrics.accuracy_at_k import AccuracyAtK


@hookimpl
def wildreid_metrics() -> list[type[Metric]]:
    """What `wildreid.hookspecs.wildreid_metrics` asks for."""
    return [AccuracyAtK]
