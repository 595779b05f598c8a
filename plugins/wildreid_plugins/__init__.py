"""The built-in options: one folder a kind, one file an option, registered as anybody else's are."""

from wildreid_plugins.backbones import wildreid_backbones
from wildreid_plugins.clusterers import wildreid_clusterers
from wildreid_plugins.datasets import wildreid_datasets
from wildreid_plugins.heads import wildreid_heads
from wildreid_plugins.losses import wildreid_losses
from wildreid_plugins.metrics import wildreid_metrics
from wildreid_plugins.miners import wildreid_miners
from wildreid_plugins.optimizers import wildreid_optimizers
from wildreid_plugins.reporters import wildreid_reporters
from wildreid_plugins.samplers import wildreid_samplers
from wildreid_plugins.schedulers import wildreid_schedulers
from wildreid_plugins.splitters import wildreid_splitters
from wildreid_plugins.trackers import wildreid_trackers
from wildreid_plugins.transforms import wildreid_transforms

__all__ = [
    "wildreid_backbones",
    "wildreid_clusterers",
    "wildreid_datasets",
    "wildreid_heads",
    "wildreid_losses",
    "wildreid_metrics",
    "wildreid_miners",
    "wildreid_optimizers",
    "wildreid_reporters",
    "wildreid_samplers",
    "wildreid_schedulers",
    "wildreid_splitters",
    "wildreid_trackers",
    "wildreid_transforms",
]
