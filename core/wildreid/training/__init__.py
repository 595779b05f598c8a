"""From a split table to an embedder."""
