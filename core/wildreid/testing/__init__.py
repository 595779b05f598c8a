"""For authors of plugins: does an option keep the contract of its kind? Each message says what to correct.

    >>> from wildreid.testing import check_option
    >>> from wildreid_plugins.losses.triplet import Triplet
    >>> check_option(Triplet)

`check_option` looks at one option, `check_plugin` at a whole plugin as the registry loads it, `check_recipe`
at a recipe and its data. `wildreid.testing.fixtures` has fixtures for pytest.
"""

from wildreid.testing.heavy import heavy_import
from wildreid.testing.material import TINY_RECIPE, embeddings_of, evidence_of, results_of, tiny_table
from wildreid.testing.of_surveys import tiny_survey
from wildreid.testing.options import check_option
from wildreid.testing.photos import draw_photos
from wildreid.testing.plugins import check_plugin, check_registered
from wildreid.testing.recipes import check_recipe

__all__ = [
    "TINY_RECIPE",
    "check_option",
    "check_plugin",
    "check_recipe",
    "check_registered",
    "draw_photos",
    "embeddings_of",
    "evidence_of",
    "heavy_import",
    "results_of",
    "tiny_survey",
    "tiny_table",
]
