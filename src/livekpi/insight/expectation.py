"""What a series is expected to be, and within which band, learned online from its own history alone.

Several forecasters hold opinions: the last few values, the level of the last hours, the day's season, the week's. They are blended by how
far off each has been (prediction with expert advice: Cesa-Bianchi, Lugosi, Prediction, Learning, and Games, 2006), so that a
series with a season is expected by its season and one without by its level, with no setting. The band is as wide as the blend's own
errors at that hour of the day were, out to what is rare among them on each side.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from livekpi.insight.counts import LEAST_DEVIATION, count_at, mean_of, to_even
from livekpi.insight.forecaster import CLIP, Forecaster
from livekpi.insight.hours import Hours
from livekpi.insight.profile import Profile
from livekpi.insight.tail import Tail

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
WEEK_US = 7 * DAY_US

LAST_BUCKETS = 3
"""How far back "the last few values" go."""
RELUCTANCE = 1.25
"""How much better than the others they must be to count as much: what lasts would else soon be what is expected."""
LEVEL_US, LEVEL_BUCKETS = 2 * HOUR_US, 12
"""How far back a level goes: so long, and at least so many buckets."""
SEASON_LEVEL_US = DAY_US
"""How far back the level over a season goes, likewise."""
SCALE_US, SCALE_BUCKETS = WEEK_US, 60
"""How far back it is learned how far off a forecaster is."""
SEASON_GAIN = 0.2
"""The weight of a new day in the day's season, of a new week in the week's."""
DAY_SLOT_US, WEEK_SLOT_US = 5 * MINUTE_US, 15 * MINUTE_US
"""Seasons are no finer than this."""
SHARPNESS = 4
"""A forecaster twice as far off has so many powers of two less to say."""
ACCEPTED_US, ACCEPTED_BUCKETS = 6 * HOUR_US, 12
"""How long a series stays far off on one side before its new level is taken for true: so long, and at least so many buckets."""
PEAK_US, PEAK_BUCKETS = 2 * WEEK_US, 500
"""How long the greatest deviations are remembered."""
TRUSTED_BUCKETS = 10
"""Buckets by which it is known how far off a forecaster is."""
WARM_US, WARM_BUCKETS = DAY_US, 14
"""Before a series is judged it has been seen in as many buckets as so long has, and in at least so many."""
LEAST_SHARE = 0.001
"""Of a level's usual size: what is less than this off is never far off."""
GREATEST_SCORE = 1e6

_VERSION = 1
_HEAD = struct.Struct("<Bq?d2q")
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Band:
    """What a series is expected to be in a bucket, and between which values it usually is; in the series' unit."""

    expected: float
    low: float
    high: float

    def judge(self, value: float) -> "Expectation":
        """A value by this band. Its score is above 1 just where it is outside, however the division is rounded."""
        half = self.high - self.expected if value > self.expected else self.expected - self.low
        off = abs(value - self.expected)
        score = 0.0 if off == 0 else GREATEST_SCORE if off >= GREATEST_SCORE * half else off / half
        score = max(score, math.nextafter(1, 2)) if value > self.high or value < self.low else min(score, 1.0)
        return Expectation(self.expected, self.low, self.high, score)


@dataclass(frozen=True, slots=True)
class Expectation(Band):
    """A band, and how a value stood in it."""

    score: float
    """How far from what was expected, relative to how far the bound on that side is, |value - expected| / |bound - expected|, where
    `bound` is `high` for a value above what was expected and else `low`: above 1 it is anomalous. 0 where it is just as expected, and
    never above GREATEST_SCORE, which is that of a value outside a band without width."""


class Learner:
    """One series: judges each bucket by those before it, and learns from it. Cheap to ask, some 10 KB of state.

    An anomaly teaches little: the levels learn nothing of it, the rest as if it were just off. A series that stays off for hours is taken
    to have moved. Holidays are learned apart: they are judged by the last values and by earlier holidays, and the seasons learn nothing
    of them.
    """

    def __init__(self, every_us: int, counts: bool) -> None:
        """`every_us` is the bucket, from 1 s to 1 d; `counts` says that values count events, so that few are known to be noisy."""
        self._every_us, self._counts = every_us, counts
        self._hours = Hours(every_us)
        peaks = round(max(PEAK_US / every_us, PEAK_BUCKETS))
        self._up, self._down = Tail(peaks), Tail(peaks)
        level, scale = 1 / max(LEVEL_US / every_us, LEVEL_BUCKETS), 1 / max(SCALE_US / every_us, SCALE_BUCKETS)
        self._scale_gain = scale
        day, week, holiday = (
            Profile(period_us, slot_us, every_us, SEASON_GAIN)
            for period_us, slot_us in ((DAY_US, DAY_SLOT_US), (WEEK_US, WEEK_SLOT_US), (DAY_US, WEEK_SLOT_US))
        )
        self._levels = (Forecaster(every_us, 1 / LAST_BUCKETS, scale), Forecaster(every_us, level, scale))
        season = 1 / max(SEASON_LEVEL_US / every_us, LEVEL_BUCKETS)
        self._seasons = tuple(Forecaster(every_us, season, scale, each) for each in ((day, week) if every_us < DAY_US else (week,)))
        self._holidays = Forecaster(every_us, level, scale, holiday)
        self._usually, self._on_holidays = (*self._levels, *self._seasons), (*self._levels, self._holidays)
        """Those that are asked on a day like others, and on a holiday."""
        self._warm_buckets = max(WARM_US // every_us, WARM_BUCKETS)
        self._accepted_buckets = max(ACCEPTED_US // every_us, ACCEPTED_BUCKETS)
        self._seen = 0
        self._size = 0.0
        self._away = 0
        """For how many buckets it has been far off, above (positive) or below."""

    def expect(self, local_us: int, holiday: bool = False) -> Band | None:
        """What a bucket that begins at this local time (µs, as if the wall clock were UTC) should hold; None while that is not known."""
        asked = self._on_holidays if holiday else self._usually
        blend = self._blend(local_us, asked, [each.forecast(local_us) for each in asked])
        return None if blend is None or self._seen < self._warm_buckets else self._band(*blend)

    def observe(self, local_us: int, value: float | None, holiday: bool = False) -> Expectation | None:
        """Judges a bucket by what came before, then learns from it; None while warming up, or where there is no value.

        Buckets come in order of time; after a gap the band is wider.
        """
        if value is None or not math.isfinite(value):
            return None
        even = to_even(value) if self._counts else value
        asked = self._on_holidays if holiday else self._usually
        forecasts = [each.forecast(local_us) for each in asked]
        blend = self._blend(local_us, asked, forecasts)
        judged = None
        cleaned = even
        if blend is not None:
            center, scale = blend
            if self._seen >= self._warm_buckets:
                judged = self._band(center, scale).judge(value)
            error, far = even - center, CLIP * scale
            cleaned = center + max(-far, min(far, error))
            if self._learn_error(local_us, error, scale, holiday=holiday):
                for each in asked:
                    each.start_over()
                forecasts = [each.forecast(local_us) for each in asked]
        self._size += (abs(cleaned) - self._size) * max(1 / (self._seen + 1), self._scale_gain)
        least, anomalous = self._least_scale, judged is not None and judged.score > 1
        for each, forecast in zip(asked, forecasts, strict=True):
            each.learn(local_us, forecast, even, cleaned, least, anomalous=anomalous)
        self._seen += 1
        return judged

    @property
    def _least_scale(self) -> float:
        return LEAST_DEVIATION if self._counts else LEAST_SHARE * self._size + 1e-12

    def _blend(self, local_us: int, asked: Sequence[Forecaster], forecasts: Sequence[float | None]) -> tuple[float, float] | None:
        """The opinions' mean by their reliability, and the standard deviation to expect; None before there is one."""
        least, first = self._least_scale, self._levels[0]
        opinions = [
            (forecast, each.scale(local_us) + least, RELUCTANCE if each is first else 1.0)
            for each, forecast in zip(asked, forecasts, strict=True)
            if forecast is not None and each.count >= TRUSTED_BUCKETS
        ]
        if not opinions:
            return None
        best = min([scale for _, scale, _ in opinions])
        total = center = spread = 0.0
        for forecast, scale, reluctance in opinions:
            weight = (best / scale / reluctance) ** SHARPNESS
            total += weight
            center += weight * forecast
            spread += weight * (scale - least)
        return center / total, max(spread / total * self._hours.ratio(local_us), least)

    def _band(self, center: float, scale: float) -> Band:
        low, high = center - self._down.width * scale, center + self._up.width * scale
        return Band(mean_of(center), count_at(low), count_at(high)) if self._counts else Band(center, low, high)

    def _learn_error(self, local_us: int, error: float, scale: float, *, holiday: bool) -> bool:
        """Returns whether it has been far off on one side for so long that its level has moved."""
        far = CLIP * scale
        if not holiday:
            deviation = error / scale
            self._up.learn(0.0 if deviation < 0 else deviation)
            self._down.learn(0.0 if deviation > 0 else -deviation)
            self._hours.learn(local_us, min(abs(error), far))
        if error > far:
            self._away = max(self._away, 0) + 1
        elif error < -far:
            self._away = min(self._away, 0) - 1
        elif self._away:  # a bucket that looks as before takes back several that did not
            self._away = max(self._away - 4, 0) if self._away > 0 else min(self._away + 4, 0)
        moved = abs(self._away) >= self._accepted_buckets
        self._away = 0 if moved else self._away
        return moved

    def to_bytes(self) -> bytes:
        """All that is learned; a learner made of it goes on exactly as this one would."""
        head = _HEAD.pack(_VERSION, self._every_us, self._counts, self._size, self._seen, self._away)
        parts = [part.to_bytes() for part in self._parts]
        return head + b"".join(_LENGTH.pack(len(part)) + part for part in parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Learner":
        """What `to_bytes` gave; raises ValueError where it is anything else, or of another version."""
        if len(data) < _HEAD.size or data[0] != _VERSION:
            raise ValueError(f"expected a learner of version {_VERSION}, got version {data[:1].hex()}, {len(data)} bytes")
        _, every_us, counts, size, seen, away = _HEAD.unpack_from(data)
        found = cls(every_us, counts)
        found._size, found._seen, found._away = size, seen, away
        at = _HEAD.size
        try:
            for part in found._parts:
                (length,) = _LENGTH.unpack_from(data, at)
                part.load(data[at + _LENGTH.size : at + _LENGTH.size + length])
                at += _LENGTH.size + length
        except (struct.error, ValueError) as error:
            raise ValueError(f"a learner's state is damaged: {error}") from error
        if at != len(data):
            raise ValueError(f"expected a learner of {at} bytes, got {len(data)}")
        return found

    @property
    def _parts(self) -> tuple[Forecaster | Tail | Hours, ...]:
        return (self._hours, self._up, self._down, *self._levels, *self._seasons, self._holidays)
