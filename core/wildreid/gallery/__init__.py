"""Who is this? A living gallery of known individuals."""
