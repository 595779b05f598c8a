"""From embeddings to numbers that can be trusted."""
