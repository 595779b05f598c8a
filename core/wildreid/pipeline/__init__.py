"""The order of the stages, and the folder they leave their artefacts in."""

from wildreid.pipeline.embedded import evaluate_embeddings
from wildreid.pipeline.folder import RunFolder
from wildreid.pipeline.results import load_results
from wildreid.pipeline.stages import check_build, evaluate, resume, run

__all__ = ["RunFolder", "check_build", "evaluate", "evaluate_embeddings", "load_results", "resume", "run"]
