"""The page as it is served: what the build left, in the best coding, under a strict policy; and what stands there without a build."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from livekpi.web.access.tokens import Token, Tokens
from livekpi.web.page.page import installed
from livekpi.web.paths import PAGE, is_page
from tests.web.answers import problem
from tests.web.world import Client, client_of, make_world

HTML, EMBED, SCRIPT = b"<!doctype html>the page", b"<!doctype html>a frame", b"const a = 1;"
HASHED = "index-AB12CD34.js"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A page as the build leaves it; what stands for Brotli is only seen to be passed on."""
    ui = tmp_path / "ui"
    (ui / "assets").mkdir(parents=True)
    for name, body in {"index.html": HTML, "embed.html": EMBED, f"assets/{HASHED}": SCRIPT, "assets/icon.svg": b"<svg/>"}.items():
        (ui / name).write_bytes(body)
        (ui / f"{name}.gz").write_bytes(gzip.compress(body))
        (ui / f"{name}.br").write_bytes(b"br:" + body)
    (ui / "assets" / f"{HASHED}.LEGAL.txt").write_bytes(b"thanks")
    (ui / "assets" / "font-AB12CD34.woff2").write_bytes(b"wOF2")
    return ui


@pytest.fixture
def paged(tmp_path: Path, built: Path) -> Iterator[Client]:
    """A server that asks for a token; the page is for all."""
    with make_world(tmp_path, ui=built, tokens=Tokens([Token("secret")])) as world, client_of(world) as client:
        yield client


def plain(client: Client, path: str) -> httpx.Response:
    return client.get(path, headers={"Accept-Encoding": "identity"})


@pytest.mark.parametrize("path", [path.replace("{name}", "revenue") for path in PAGE])
def test_each_path_of_the_page_has_the_same_html_without_a_token(paged: Client, path: str) -> None:
    answer = plain(paged, path)
    assert (answer.status_code, answer.content) == (200, HTML)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(("accept", "media_type"), [("text/html,*/*;q=0.8", "text/html"), ("*/*", "application/problem+json")])
def test_a_mistyped_address_is_told_to_people_by_the_page(tmp_path: Path, built: Path, accept: str, media_type: str) -> None:
    with make_world(tmp_path, ui=built) as world, client_of(world) as client:
        answer = client.get("/alert", headers={"Accept": accept, "Accept-Encoding": "identity"})
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (404, media_type)
        assert (answer.content == HTML) == (media_type == "text/html")
        assert problem(client.get("/v1/kpis/nothing", headers={"Accept": accept}), 404)


def policy(answer: httpx.Response) -> dict[str, str]:
    parts = [part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";")]
    return {name: value for name, _, value in parts}


def test_nothing_runs_or_is_loaded_that_is_not_its_own(paged: Client) -> None:
    found = policy(paged.get("/"))
    assert found == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "connect-src": "'self'",
        "font-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    assert policy(paged.get("/embed/revenue")) == found | {"frame-ancestors": "*"}


def test_the_frame_is_a_page_of_its_own(paged: Client) -> None:
    assert plain(paged, "/embed/revenue").content == EMBED


@pytest.mark.parametrize(
    ("name", "media_type", "cache"),
    [
        (HASHED, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("font-AB12CD34.woff2", "font/woff2", "public, max-age=31536000, immutable"),
        (f"{HASHED}.LEGAL.txt", "text/plain; charset=utf-8", "public, max-age=31536000, immutable"),
        ("icon.svg", "image/svg+xml", "no-cache"),
    ],
)
def test_an_asset_is_kept_for_ever_where_its_name_changes_with_it(paged: Client, name: str, media_type: str, cache: str) -> None:
    answer = plain(paged, f"/ui/{name}")
    assert (answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) == (200, media_type, cache)


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br;q=0.000, gzip;q=0", None),
        ("BR", "br"),
        ("*", "br"),
        ("*, br;q=0", "gzip"),
        ("*;q=0", None),
        ("identity", None),
        ("", None),
    ],
)
@pytest.mark.parametrize(("path", "body"), [("/", HTML), (f"/ui/{HASHED}", SCRIPT)])
def test_it_comes_in_the_best_coding_that_is_taken(paged: Client, path: str, body: bytes, accepts: str, coding: str | None) -> None:
    sent = paged.raw("GET", path, headers={"Accept-Encoding": accepts})
    expected = {"br": b"br:" + body, "gzip": gzip.compress(body), None: body}[coding]
    assert sent.headers.get("content-encoding") == coding
    assert sent.headers["vary"] == "Accept-Encoding"
    assert sent.headers["content-length"] == str(len(expected))
    assert sent.content == expected or (coding == "gzip" and gzip.decompress(sent.content) == body)


def test_what_the_client_has_is_not_sent_again(paged: Client) -> None:
    first = plain(paged, "/")
    tag = first.headers["etag"]
    for sent in (tag, f'"other", W/{tag}', "*"):
        again = paged.get("/", headers={"Accept-Encoding": "identity", "If-None-Match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert paged.get("/", headers={"Accept-Encoding": "identity", "If-None-Match": '"other"'}).status_code == 200
    assert paged.raw("GET", "/", headers={"Accept-Encoding": "gzip"}).headers["etag"] != tag


@pytest.mark.parametrize("path", ["/ui/none.js", f"/ui/{HASHED}.br", "/ui/..%2findex.html", "/ui/index.html", "/ui/%2e%2e"])
def test_only_the_assets_are_served(paged: Client, path: str) -> None:
    problem(paged.get(path), 404)


@pytest.mark.parametrize("path", ["/elsewhere", "/ui", "/kpi", "/kpis"])
def test_other_paths_are_no_page(paged: Client, path: str) -> None:
    assert not is_page(path)
    problem(paged.get(path), 401)
    problem(paged.get(path, headers={"Authorization": "Bearer secret"}), 404)


def test_a_path_below_one_of_the_page_is_no_page(paged: Client) -> None:
    problem(paged.get("/kpi/a/b"), 404)


def test_where_it_was_not_built_the_page_says_so_and_lists_the_api(tmp_path: Path) -> None:
    with make_world(tmp_path, ui=tmp_path / "nothing") as world, client_of(world) as client:
        for path in ("/", "/kpi/revenue", "/embed/revenue"):
            answer = client.get(path)
            assert answer.status_code == 200
            assert "was not built" in answer.text
            assert 'href="/v1/kpis"' in answer.text
        problem(client.get(f"/ui/{HASHED}"), 404)


def test_it_is_looked_for_in_the_package() -> None:
    assert str(installed()).endswith("livekpi/web/ui")
