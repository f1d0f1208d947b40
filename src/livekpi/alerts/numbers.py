"""Numbers for people, as notifications have them."""

_DIGITS = 4
_MOST_DIGITS = 17
"""As many as tell any two numbers apart."""
_LONG = 1e15


def number_text(value: float, digits: int = _DIGITS) -> str:
    """A number by so many digits that count, or by all before the point where there are more."""
    value += 0.0  # so that there is no -0
    if 10**digits <= abs(float(f"{value:.{digits}g}")) < _LONG:
        return f"{value:,.0f}"
    return f"{value:,.{digits}g}"


def constant_text(value: float) -> str:
    """A number that somebody wrote: no digit of it is lost."""
    return number_text(value, 15)


def text_beside(value: float, other: float) -> str:
    """A number by as many digits as it takes to tell it from another, which stands beside it as `constant_text`."""
    texts = (number_text(value, digits) for digits in range(_DIGITS, _MOST_DIGITS + 1))
    return next((text for text in texts if value == other or text != constant_text(other)), constant_text(value))
