"""A planted scenario, of misconduct or of honest play that looks like it, as the domains that
play, see and report it know it."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.simulate.kernel.counter import key


@dataclass(frozen=True, slots=True)
class Scenario:
    """One planted scenario as it shows on one gaming day."""

    number: int
    kind: str
    players: tuple[int, ...]
    first_day: int
    last_day: int
    step: int = 0
    """Days since the first."""
    luck: int = 0
    """What its own draws are keyed by."""
    permille: int = 1000
    """Intensity: 1000 blatant, 0 nearly nothing; of a look-alike, how near it comes."""
    is_look_alike: bool = False

    @property
    def days(self) -> int:
        return self.last_day - self.first_day + 1

    @property
    def intensity(self) -> float:
        return self.permille / 1000

    @property
    def suspect(self) -> int:
        """Of those who pool, who takes the money; else the first."""
        return self.players[-1 if self.kind == "pooling" else 0]

    def below(self, n: int, what: str, *parts: int) -> int:
        """The scenario's own whole number from 0 to n - 1."""
        return (key(self.luck, what, *parts) * n) >> 64

    def among(self, low: int, high: int, what: str, *parts: int) -> int:
        """The scenario's own whole number from low to high."""
        return low + self.below(high - low + 1, what, *parts)

    def scaled(self, faint: int, blatant: int) -> int:
        """Between two values, by intensity."""
        return faint + (blatant - faint) * self.permille // 1000

    def eased(self, faint: int, blatant: int) -> int:
        """As `scaled`, but a middling one comes almost all of the way, and a faint one sets out
        slowly."""
        rest = max((1000 - self.permille) ** 6, (10**6 - 9 * self.permille**2) * 10**12)
        return blatant + (faint - blatant) * rest // 10**18

    @property
    def size(self) -> int:
        """Thousandths of the kind's usual amounts: all of them but for the faint, whose amounts
        go down to those that anybody has."""
        return 50 + 950 * min(1000, 3 * self.permille) ** 4 // 10**12
