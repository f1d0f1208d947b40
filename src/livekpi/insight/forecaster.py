"""One opinion on what a series is next: a level, or a level over a season's profile; and how far off it usually is."""

# ruff: noqa: FURB136 - a call takes longer than the arithmetic, and each bucket of each series comes here

import math
import struct

from livekpi.insight.profile import Profile

CLIP = 3.0
"""Scales: what is further off teaches no more than this (Huber's ψ)."""
FRESH = 5
"""Observations after a start by which a forecaster believes all it sees."""
PER_MEAN = 1.2533
"""The standard deviation of normal noise, in mean absolute deviations."""

_FAR = CLIP * PER_MEAN
_FORMAT = struct.Struct("<2d3q")


class Forecaster:
    """Exponential smoothing in its robust form: Gelper, Fried, Croux, Robust Forecasting with Exponential and Holt-Winters
    Smoothing (Journal of Forecasting 2010). A season is a mean a slot of the calendar, not a state a step, so that it bears gaps.
    """

    __slots__ = ("_count", "_every_us", "_gain", "_last_us", "_offset", "_scale", "_scale_gain", "_since_start", "profile")

    def __init__(self, every_us: int, gain: float, scale_gain: float, profile: Profile | None = None) -> None:
        """`gain` is a new observation's weight in the level, `scale_gain` in the scale."""
        self._every_us, self._gain, self._scale_gain = every_us, gain, scale_gain
        self.profile = profile
        self._offset = self._scale = 0.0
        self._count = self._since_start = self._last_us = 0

    @property
    def count(self) -> int:
        """How many observations it has been wrong or right about."""
        return self._count

    def forecast(self, local_us: int) -> float | None:
        """What it expects; None where it has no opinion yet."""
        if self.profile is None:
            return self._offset if self._since_start else None
        usual = self.profile.at(local_us)
        return None if usual is None else usual + self._offset

    def scale(self, local_us: int) -> float:
        """The standard deviation it expects; more after a gap, as an exponential smoothing's does (Hyndman et al., Forecasting with
        Exponential Smoothing, 2008, table 6.1).
        """
        steps = (local_us - self._last_us) // self._every_us
        spread = PER_MEAN * self._scale
        return spread * math.sqrt(1 + (steps - 1) * self._gain * self._gain) if steps > 1 else spread

    def learn(self, local_us: int, forecast: float | None, value: float, cleaned: float, least_scale: float, *, anomalous: bool) -> None:
        """Takes in a value; `forecast` is what it expected there, and `least_scale` is what is never held to be far off.

        The level learns nothing of one that is `anomalous`, as if it were missing. A slot of the season seen for the first time learns
        `cleaned` instead: the value as far as others believe it.
        """
        profile, offset = self.profile, self._offset
        if forecast is not None:
            error, count, since, scale = value - forecast, self._count, self._since_start, self._scale
            if since >= FRESH:
                limit = _FAR * scale
                limit = least_scale if least_scale > limit else limit
                error = error if error < limit else limit
                error = error if error > -limit else -limit
            # what the slot itself or the others believe is believed: neither a wrong slot nor a new season stays unlearned
            if count >= FRESH and not abs(cleaned - value) < abs(forecast + error - value):
                cleaned = forecast + error
            gain, least = 1 / (count + 1), self._scale_gain
            self._scale = scale + (abs(error) - scale) * (least if least > gain else gain)
            self._count = count + 1
            if not anomalous or since < FRESH:
                # a profile's first level is 0, and is true; a level, and one that has moved, are learned from the start
                gain = 1 / (since + 1) if profile is None or since <= count else 0.0
                self._offset = offset = offset + error * (gain if gain > self._gain else self._gain)
                self._since_start, self._last_us = since + 1, local_us
        elif profile is None:
            self._offset, self._since_start, self._last_us = value, 1, local_us
        if profile is not None:
            profile.learn(local_us, cleaned - offset)

    def start_over(self) -> None:
        """Learns the level anew: the series has moved."""
        self._since_start = 0

    def to_bytes(self) -> bytes:
        """All that is learned, the profile at its end."""
        head = _FORMAT.pack(self._offset, self._scale, self._count, self._since_start, self._last_us)
        return head + (b"" if self.profile is None else self.profile.to_bytes())

    def load(self, data: bytes) -> None:
        """Takes what `to_bytes` gave; raises struct.error or ValueError where it is anything else."""
        self._offset, self._scale, self._count, self._since_start, self._last_us = _FORMAT.unpack_from(data)
        if self.profile is not None:
            self.profile.load(data[_FORMAT.size :])
