"""Where the page is."""

PAGE = ("/", "/kpi/{name}", "/dashboard/{name}", "/alerts", "/dead-letters", "/status", "/tv")
"""What the page shows something different at; its own script tells them apart."""
_OPEN = frozenset(path for path in PAGE if "{" not in path)
_OPEN_BELOW = ("/kpi/", "/dashboard/", "/embed/", "/ui/")


def is_page(path: str) -> bool:
    """Whether a path is one of the page's, or of its assets: these are the same for everyone, and have no numbers in them."""
    return path in _OPEN or path.startswith(_OPEN_BELOW)
