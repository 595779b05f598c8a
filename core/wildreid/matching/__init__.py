"""Between ranking and scores: photos compared point by point, re-ranked, and one score made of all."""
