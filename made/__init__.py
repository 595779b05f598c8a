"""What tests and benchmarks both make: a training run of a second, tables with embeddings, a finished run."""
