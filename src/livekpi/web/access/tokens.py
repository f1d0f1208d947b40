"""Tokens: who may send events, who may look at a KPI, who may read all there is, and who may say what becomes of alerts."""

import contextlib
import hmac
import ipaddress
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

ENVIRONMENT = "LIVEKPI_TOKEN"
_TOKEN_FILE = "token"  # noqa: S105 - a file's name


class Scope(StrEnum):
    INGEST = "ingest"
    EMBED = "embed"
    """What frames and badges on other pages need: KPIs, their points, and what fires; nothing that people or single events say."""
    READ = "read"
    ACT = "act"
    """To silence and to acknowledge alerts, to annotate, and to try rules on history."""


ALL = frozenset(Scope)
MAX_TOKEN_BYTES = 4_096
_IMPLIED = {Scope.READ: frozenset({Scope.EMBED}), Scope.ACT: frozenset({Scope.READ, Scope.EMBED})}
"""What a scope opens beside itself: who acts must see what there is."""


class AuthError(Exception):
    """The server can't be started like this; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody may do."""

    scopes: frozenset[Scope] = frozenset()
    kpis: frozenset[str] | None = None
    """The only KPIs that somebody may look at; None: all."""

    def see(self, *kpis: str) -> bool:
        """Whether all of these KPIs may be looked at, by one who may look at any."""
        return self.kpis is None or self.kpis.issuperset(kpis)


EVERYTHING = Rights(ALL)
NOTHING = Rights()


@dataclass(frozen=True, slots=True)
class Token:
    """A secret and what it opens."""

    secret: str
    scopes: frozenset[Scope] = ALL
    kpis: frozenset[str] | None = None
    """Of one that is for `embed` alone: the only KPIs it opens; None: all."""


class Tokens:
    """The tokens that are accepted."""

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._tokens = [(token.secret.encode(), Rights(_with_implied(token.scopes), token.kpis)) for token in tokens]

    @property
    def kpis(self) -> frozenset[str]:
        """The KPIs that tokens are for by name."""
        return frozenset(kpi for _, rights in self._tokens for kpi in rights.kpis or ())

    def rights(self, secret: bytes) -> Rights:
        """What a presented secret opens; nothing where it is unknown. The time it takes says nothing of the secrets."""
        return _together([rights for known, rights in self._tokens if hmac.compare_digest(known, secret)])


def _together(all_rights: Iterable[Rights]) -> Rights:
    """What these allow together."""
    scopes: frozenset[Scope] = frozenset()
    kpis: frozenset[str] | None = frozenset()
    for rights in all_rights:
        scopes |= rights.scopes
        if Scope.EMBED in rights.scopes:
            kpis = None if kpis is None or rights.kpis is None else kpis | rights.kpis
    return Rights(scopes, kpis if Scope.EMBED in scopes else None)


def _with_implied(scopes: frozenset[Scope]) -> frozenset[Scope]:
    return scopes.union(*(_IMPLIED.get(scope, frozenset()) for scope in scopes))


def tokens_for(host: str, environ: Mapping[str, str], token_file: Path | None, data: Path, *, insecure: bool) -> Tokens | None:
    """The tokens a server bound to `host` accepts; None where it asks for none.

    Where any is asked for, the local token in the data directory is accepted too. Raises AuthError where a token is needed
    and none is given.
    """
    tokens = read_token_file(token_file) if token_file else []
    if environ.get(ENVIRONMENT):
        tokens.append(Token(environ[ENVIRONMENT]))
    if tokens:
        return Tokens([*tokens, Token(local_token(data))])
    if is_loopback(host) or insecure:
        return None
    raise AuthError(
        f"{host} can be reached from other machines, so a token is needed: set {ENVIRONMENT} or give --token-file "
        "(or listen on 127.0.0.1, or say --insecure to let everyone in)"
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`. A name other than localhost counts as reachable, whatever it resolves to."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_token_file(path: Path) -> list[Token]:
    """Reads `ingest TOKEN`, `embed TOKEN`, `embed TOKEN KPI …` (for these KPIs only), `read TOKEN`, `act TOKEN` (which may read too) or
    `TOKEN` (for all), one a line; blank lines and lines that begin with # are left out.

    Raises AuthError with file and line; the secrets themselves are never said.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AuthError(f"{path}: the token file can't be read: {error}") from error
    tokens = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) == 1 and words[0] not in list(Scope):
            tokens.append(Token(words[0]))
        elif len(words) == 2 and words[0] in list(Scope):
            tokens.append(Token(words[1], frozenset({Scope(words[0])})))
        elif words[0] == Scope.EMBED and len(words) > 2:
            tokens.append(Token(words[1], frozenset({Scope.EMBED}), frozenset(words[2:])))
        else:
            expected = "`ingest TOKEN`, `embed TOKEN`, `embed TOKEN KPI …`, `read TOKEN`, `act TOKEN` or `TOKEN`"
            raise AuthError(f"{path}:{number}: expected {expected}")
    if not tokens:
        raise AuthError(f"{path}: expected a token on at least one line")
    return tokens


def local_token(data: Path) -> str:
    """The token by which commands of the same user on the same machine reach the server; made where there is none yet."""
    path = data / _TOKEN_FILE
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
    token = path.read_text(encoding="ascii").strip()
    if not token:
        raise AuthError(f"{path} is empty; remove it and start again")
    return token
