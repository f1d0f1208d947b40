"""A picture of one page: ``python -m tests.browser.screenshot URL OUT.png [WIDTH] [light|dark] [--full] [--wait SECONDS]``."""

import argparse
import sys

from tests.browser.launching import browsing

_HEIGHTS = {360: 760, 1280: 800, 1920: 1080, 3840: 2160}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("out")
    parser.add_argument("width", type=int, nargs="?", default=1280)
    parser.add_argument("theme", choices=("light", "dark"), nargs="?", default="light")
    parser.add_argument("--height", type=int)
    parser.add_argument("--full", action="store_true", help="the whole page, not only what is on screen")
    parser.add_argument("--wait", type=float, default=2.0, metavar="SECONDS", help="after it has loaded")
    options = parser.parse_args()
    size = {"width": options.width, "height": options.height or _HEIGHTS.get(options.width, options.width * 10 // 16)}
    with browsing() as browser:
        page = browser.new_page(viewport=size, color_scheme=options.theme, locale="en-GB", reduced_motion="reduce")  # type: ignore[arg-type]
        page.on("console", lambda message: _tell(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: _tell(f"error: {error}"))
        page.goto(options.url)
        page.wait_for_timeout(options.wait * 1_000)
        page.screenshot(path=options.out, full_page=options.full)
    return 0


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
