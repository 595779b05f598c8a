"""The survey: what is in a data set, on one page to look at before training."""

from wildreid.survey.facts import Facts, facts
from wildreid.survey.page import write

__all__ = ["Facts", "facts", "write"]
