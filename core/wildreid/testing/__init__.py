"""For authors of plugins: does an option keep the contract of its kind? Each message says what to mend.

    >>> from wildreid.testing import check_option
    >>> from wildreid_plugins.losses.triplet import Triplet
    >>> check_option(Triplet)
"""

from wildreid.testing.checks import check_option
from wildreid.testing.material import embeddings_of, evidence_of, results_of, tiny_table

__all__ = ["check_option", "embeddings_of", "evidence_of", "results_of", "tiny_table"]
