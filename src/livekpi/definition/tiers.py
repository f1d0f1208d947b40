"""What becomes of a KPI's buckets as they age."""


def tiers(every_us: int, keep_us: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """The grains a KPI's buckets go through, with how long each is kept: its own first, then the coarser ones that fit it."""
    own = [kept for grain, kept in keep_us if grain <= every_us]
    coarser = [(grain, kept) for grain, kept in keep_us if grain > every_us and grain % every_us == 0]
    return [(every_us, own[-1] if own else keep_us[0][1]), *coarser]


def kept_from_us(every_us: int, keep_us: tuple[tuple[int, int], ...], last_event_us: int) -> int:
    """From when on buckets are kept at all, once there was an event at a time; what lies before is dropped."""
    grain_us, kept_us = tiers(every_us, keep_us)[-1]
    return (last_event_us - kept_us) // grain_us * grain_us
