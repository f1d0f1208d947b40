import stat
from pathlib import Path

import pytest

from livekpi.web.access.tokens import (
    ALL,
    EVERYTHING,
    NOTHING,
    AuthError,
    Rights,
    Scope,
    is_loopback,
    local_token,
    read_token_file,
    tokens_for,
)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "kpi.example", "localhost.example", "127.0.0.1.example", ""])
def test_no_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_on_loopback_no_token_is_needed(tmp_path: Path) -> None:
    assert tokens_for("127.0.0.1", {}, None, tmp_path, insecure=False) is None
    assert not list(tmp_path.iterdir())


def test_elsewhere_it_refuses_without_a_token(tmp_path: Path) -> None:
    with pytest.raises(AuthError, match="set LIVEKPI_TOKEN or give --token-file"):
        tokens_for("0.0.0.0", {"LIVEKPI_TOKEN": ""}, None, tmp_path, insecure=False)
    assert tokens_for("0.0.0.0", {}, None, tmp_path, insecure=True) is None


@pytest.mark.parametrize("insecure", [False, True])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_token_that_is_given_is_asked_for(tmp_path: Path, host: str, insecure: bool) -> None:
    tokens = tokens_for(host, {"LIVEKPI_TOKEN": "sesame"}, None, tmp_path, insecure=insecure)
    assert tokens is not None
    assert tokens.rights(b"sesame") == EVERYTHING
    assert tokens.rights(b"sesam") == tokens.rights(b"") == NOTHING


def test_the_local_token_opens_all_and_is_its_owners_alone(tmp_path: Path) -> None:
    tokens = tokens_for("0.0.0.0", {"LIVEKPI_TOKEN": "sesame"}, None, tmp_path, insecure=False)
    token = (tmp_path / "token").read_text()
    assert tokens is not None
    assert tokens.rights(token.encode()) == EVERYTHING
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert local_token(tmp_path) == token
    assert len(token) > 40


def test_an_empty_local_token_opens_nothing(tmp_path: Path) -> None:
    (tmp_path / "token").touch()
    with pytest.raises(AuthError, match="is empty; remove it"):
        local_token(tmp_path)


def test_a_token_file(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("# who may what\n\ningest abc\n read  def \nghi\nread abc\nembed jkl\nact mno\n")
    tokens = tokens_for("0.0.0.0", {}, file, tmp_path, insecure=False)
    assert tokens is not None
    assert [tokens.rights(secret).scopes for secret in (b"abc", b"def", b"ghi", b"jkl", b"mno", b"read")] == [
        {Scope.INGEST, Scope.READ, Scope.EMBED},
        {Scope.READ, Scope.EMBED},
        ALL,
        {Scope.EMBED},
        {Scope.ACT, Scope.READ, Scope.EMBED},
        frozenset(),
    ]


def test_a_frames_token_may_name_its_kpis(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("embed a users visits\nembed a stock\nembed b users\nembed b\nembed c users\nread c\nembed d users\ningest d\n")
    tokens = tokens_for("0.0.0.0", {}, file, tmp_path, insecure=False)
    assert tokens is not None
    assert tokens.kpis == {"users", "visits", "stock"}
    assert tokens.rights(b"a") == Rights(frozenset({Scope.EMBED}), frozenset({"users", "visits", "stock"}))
    assert tokens.rights(b"b") == Rights(frozenset({Scope.EMBED}))
    assert tokens.rights(b"c") == Rights(frozenset({Scope.READ, Scope.EMBED}))
    assert tokens.rights(b"d") == Rights(frozenset({Scope.INGEST, Scope.EMBED}), frozenset({"users"}))
    assert tokens.rights(b"d").see("users")
    assert not tokens.rights(b"d").see("users", "visits")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("read\n", r"tokens:1: expected `ingest TOKEN`, `embed TOKEN`"),
        ("abc\nwrite def\n", r"tokens:2: expected `ingest TOKEN`"),
        ("read a b\n", r"tokens:1: expected"),
        ("# nothing\n", "expected a token on at least one line"),
    ],
)
def test_a_wrong_token_file_is_named_by_line_and_not_quoted(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(text)
    with pytest.raises(AuthError, match=says) as error:
        read_token_file(file)
    assert "def" not in str(error.value)


def test_a_missing_token_file(tmp_path: Path) -> None:
    with pytest.raises(AuthError, match="can't be read"):
        read_token_file(tmp_path / "none")
