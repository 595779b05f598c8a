"""Do two people who do not know of each other decide alike? Who is asked twice, and Cohen's κ."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wildreid.review.journal import Review, standing


@dataclass(frozen=True)
class Agreement:
    """How far first and second looks agree.

    Attributes:
        pairs: encounters that two people decided, the second blind.
        observed: the share on which they agree, p_o; None without any.
        expected: the share by chance, p_e, from how often each says what.
        kappa: Cohen's κ = (p_o − p_e) / (1 − p_e) (Cohen 1960); None where p_e is 1 or there are no pairs.
        positive: 2a / (2a + b + c), where a is twice the same name, b and c one name or two.
        negative: 2d / (2d + b + c), where d names nobody twice (Cicchetti and Feinstein 1990).
    """

    pairs: int
    observed: float | None
    expected: float | None
    kappa: float | None
    positive: float | None
    negative: float | None


def agreement(pairs: Sequence[tuple[str, str]], named: Sequence[tuple[bool, bool]]) -> Agreement:
    """Compare what two people said.

    Args:
        pairs: the two answers to each encounter, in words.
        named: whether each of the two named an individual.
    """
    n = len(pairs)
    if n == 0:
        return Agreement(0, None, None, None, None, None)
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    observed = sum(a == b for a, b in pairs) / n
    expected = sum(first[word] * second[word] for word in first) / n**2
    both = sum(a == b and x and y for (a, b), (x, y) in zip(pairs, named, strict=True))
    neither = sum(not x and not y for x, y in named)
    apart = n - both - neither
    return Agreement(
        pairs=n,
        observed=observed,
        expected=expected,
        kappa=None if expected == 1 else (observed - expected) / (1 - expected),
        positive=2 * both / (2 * both + apart) if both + apart else None,
        negative=2 * neither / (2 * neither + apart) if neither + apart else None,
    )


def drawn(task: str, salt: str, share: float) -> bool:
    """Whether a task is asked a second time; the same for all, whenever it is asked."""
    number = int.from_bytes(hashlib.blake2b(f"{salt} {task}".encode(), digest_size=8).digest(), "big")
    return number < share * 2**64


def twice(lines: Iterable[Review]) -> list[tuple[Review, Review]]:
    """The first and the blind second decision on each encounter that has both."""
    first: dict[str, Review] = {}
    second: dict[str, Review] = {}
    for line in standing(lines):
        if line.decision == "viewpoint" or line.mode != "identify":
            continue
        if line.blind:
            second.setdefault(line.task, line)
        elif line.decision != "different" and not line.settles:
            first.setdefault(line.task, line)
    return [(first[task], second[task]) for task in first if task in second]
