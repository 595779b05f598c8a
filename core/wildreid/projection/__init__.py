"""The embedding space as pictures: which photos, laid out how, drawn by whom, and kept where."""
