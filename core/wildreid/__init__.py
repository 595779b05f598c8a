"""wildreid: which animal is this? Re-identify individuals in photos, for any species."""
