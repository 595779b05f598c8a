"""From a recipe and images to an embedder: the network, the loop, and embedding with it."""
