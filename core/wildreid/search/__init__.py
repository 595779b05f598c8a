"""The search for the best recipe: independent draws, a study for many workers, one look at test."""
