"""Links between the documents lead somewhere."""

import re
from pathlib import Path
from urllib.parse import unquote

from tests.house.tree import ROOT, tracked

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = _HEADING.findall(_FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(document: Path) -> list[str]:
    """Each relative link of a document that leads nowhere."""
    wrong = []
    for groups in _LINK.findall(_FENCE.sub("", document.read_text(encoding="utf-8"))):
        link = unquote(groups[0] or groups[1])
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            wrong.append(f"{document}: {link}")
    return wrong


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def test_every_relative_link_resolves() -> None:
    assert [link for document in documents() for link in broken(document)] == []


def test_every_document_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop().resolve()
        if document in reached or document.suffix != ".md" or not document.is_file():
            continue
        reached.add(document)
        links = [groups[0] or groups[1] for groups in _LINK.findall(document.read_text(encoding="utf-8"))]
        waiting += [document.parent / link.partition("#")[0] for link in links if not re.match(r"[a-z]+:", link)]
    assert [path for path in documents() if path.resolve() not in reached] == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A heading: here\n[a](none.md) [b](#a-heading-here) [c](#nowhere) [d](https://example.com)\n", encoding="utf-8")
    assert broken(page) == [f"{page}: none.md", f"{page}: #nowhere"]
