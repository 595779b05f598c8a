"""What a key of the desk can do, in words; which key does it stands in ``page/keys.js``."""

from __future__ import annotations

ACTS = (
    ("same", "the marked candidate is the same animal"),
    ("different", "it is a different animal than the marked one"),
    ("new", "a new individual"),
    ("cannot-tell", "cannot tell"),
    ("not-comparable", "not comparable: another side, no overlap"),
    ("bad", "bad photo; then 1 … 6 say why"),
    ("skip", "skip"),
    ("undo", "undo (also Ctrl+Z)"),
    ("candidate-before", "the candidate before"),
    ("candidate-next", "the next candidate"),
    ("photo-before", "the photo before; with Shift the candidate's"),
    ("photo-next", "the next photo; with Shift the candidate's"),
    ("in", "closer"),
    ("out", "farther"),
    ("fit", "the whole picture"),
    ("link", "zoom together or apart"),
    ("mirror", "mirror"),
    ("bright", "brighter"),
    ("frame", "the whole frame"),
    ("overlay", "matches: points that the model found alike, not whether it is right"),
    ("side", "which side a photo shows"),
    ("find", "find a name"),
    ("help", "this list"),
)
