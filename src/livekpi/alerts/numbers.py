"""Numbers for people, as notifications have them: with their units, by as many digits as the page gives them (ui/src/words/numbers.ts).

What the page writes by the viewer's locale stands here in English, and money by its code: a `$` may be of many countries.
"""

import math
from decimal import ROUND_HALF_UP, Decimal

_ALL = 400
"""More places than any number has."""
_LEAST_PLAIN, _MOST_PLAIN = Decimal("1e-6"), Decimal("1e18")
"""Beyond these a number is written by its power of ten."""
_LARGE_MONEY = 10_000
"""From here on money is written without its small coins."""
_BYTES = ("B", "kB", "MB", "GB", "TB", "PB")
_LARGE_BYTES = 10_000
# ISO 4217: those in use, and those whose coins are not hundredths
_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP
CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY
KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK
NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT
TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
_NO_COINS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_CURRENCIES = dict.fromkeys(_CODES.split(), 2) | dict.fromkeys(_NO_COINS.split(), 0) | dict.fromkeys(_THOUSANDTHS.split(), 3)
"""Places after the point, by currency."""


def number_text(value: float, unit: str | None = None) -> str:
    """A number with its unit, by about three digits that count, or by all before the point where there are more."""
    return _text(value, unit, 0)


def constant_text(value: float, unit: str | None = None) -> str:
    """A number that somebody wrote: no digit of it is lost."""
    return _text(value, unit, _ALL)


def text_beside(value: float, other: float, unit: str | None = None) -> str:
    """A number by as many digits as it takes to tell it from another, which stands beside it as `constant_text`."""
    there = constant_text(other, unit)
    texts = (_text(value, unit, more) for more in range(_ALL))
    return next((text for text in texts if value == other or text != there), constant_text(value, unit))


def _text(value: float, unit: str | None, more: int) -> str:
    """`more` is how many digits stand there beyond the usual; _ALL: all that tell it from any other number."""
    if not math.isfinite(value):
        return str(value)
    number, name = _scaled(Decimal(repr(float(value))), unit)
    size = abs(number)
    if size >= _MOST_PLAIN or 0 < size < _LEAST_PLAIN:
        text = f"{Decimal(f'{number:.{17 if more == _ALL else 3 + more}g}').normalize():g}"
    else:
        text = _plain(number, _CURRENCIES.get(name), more)
    return f"{text} {name}" if name else text


def _plain(number: Decimal, coins: int | None, more: int) -> str:
    """With thousands apart; small amounts of money with as many places as their coins have, at least."""
    if abs(number) >= _LARGE_MONEY:
        coins = None
    rounded = _rounded(number, (_places(number) if coins is None else coins) + more)
    if number and not rounded:  # what is less than the least coin is not nothing
        rounded = _rounded(number, _places(number) + more)
    return f"{rounded + 0:,.{max(coins or 0, _places_of(rounded))}f}"


def _rounded(number: Decimal, places: int) -> Decimal:
    """By so many places after the point, or fewer where there are no more."""
    return number.quantize(Decimal(1).scaleb(-min(places, _places_of(number))), ROUND_HALF_UP)


def _places_of(number: Decimal) -> int:
    """How many digits there are after the point."""
    return max(0, -int(number.normalize().as_tuple().exponent))


def _places(number: Decimal) -> int:
    """As many after the point as leave about three digits that count."""
    size = abs(number)
    if size >= 1_000 or not size:
        return 0
    return 1 if size >= 10 else 2 if size >= 1 else min(6, 2 - size.adjusted())


def _scaled(number: Decimal, unit: str | None) -> tuple[Decimal, str]:
    """A number as it is written, and what stands behind it."""
    if unit == "ratio":
        return number * 100, "%"
    if unit in ("B", "bytes") and abs(number) >= _LARGE_BYTES:
        power = min(len(_BYTES) - 1, number.adjusted() // 3)
        return number.scaleb(-3 * power), _BYTES[power]
    return number, unit or ""
