"""How a desk asks, who has which question on the screen, and what was put off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wildreid.review.tasks import Task

LEASE = 120.0
"""Seconds that a question is one person's; a page that is open renews it."""


@dataclass(frozen=True)
class Settings:
    """How the desk asks.

    Attributes:
        order: one of `tasks.ORDERS`.
        audit: the share of encounters above the threshold that are asked about all the same.
        second_share: the share of encounters that another person is asked about, blind.
        salt: from which both are drawn.
        hold: decisions change the gallery only when `apply` is asked for.
        confidence: ask how certain the person is.
        thorough: ask about the catalogue also what one answer would hardly change.
    """

    order: str = "likely"
    audit: float = 0.05
    second_share: float = 0.0
    salt: str = "wildreid"
    hold: bool = False
    confidence: bool = False
    thorough: bool = False


@dataclass
class Lease:
    """A question on somebody's screen."""

    reviewer: str
    until: float
    view: dict[str, Any]
    anchors: dict[str, str | None]
    task: Task


@dataclass
class Skips:
    """What each person put off, and how often."""

    of: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, reviewer: str, task: str) -> None:
        """Once more."""
        own = self.of.setdefault(reviewer, {})
        own[task] = own.get(task, 0) + 1

    def count(self, reviewer: str, task: str) -> int:
        """How often."""
        return self.of.get(reviewer, {}).get(task, 0)
