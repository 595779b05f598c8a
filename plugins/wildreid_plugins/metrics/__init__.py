"""The built-in metrics."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Metric
from wildreid_plugins.metrics.accuracy_at_k import AccuracyAtK
from wildreid_plugins.metrics.auroc import AUROC
from wildreid_plugins.metrics.average_precision import AveragePrecision
from wildreid_plugins.metrics.baks_baus import BaksBaus
from wildreid_plugins.metrics.calibration import Calibration
from wildreid_plugins.metrics.clusters import Clusters
from wildreid_plugins.metrics.dir_fpir import DirFpir
from wildreid_plugins.metrics.encounter_accuracy_at_k import EncounterAccuracyAtK
from wildreid_plugins.metrics.image_accuracy_at_k import ImageAccuracyAtK
from wildreid_plugins.metrics.k_shot import KShot
from wildreid_plugins.metrics.macro_accuracy_at_k import MacroAccuracyAtK
from wildreid_plugins.metrics.macro_average_precision import MacroAveragePrecision
from wildreid_plugins.metrics.mrr import MRR
from wildreid_plugins.metrics.r_precision import RPrecision
from wildreid_plugins.metrics.verification import Verification


@hookimpl
def wildreid_metrics() -> list[type[Metric]]:
    """What `wildreid.hookspecs.wildreid_metrics` asks for."""
    return [
        AccuracyAtK,
        AUROC,
        AveragePrecision,
        BaksBaus,
        Calibration,
        Clusters,
        DirFpir,
        EncounterAccuracyAtK,
        ImageAccuracyAtK,
        KShot,
        MacroAccuracyAtK,
        MacroAveragePrecision,
        MRR,
        RPrecision,
        Verification,
    ]
