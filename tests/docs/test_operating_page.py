"""The page on operating: what it asks Prometheus for exists, and its service starts livekpi as livekpi can be started."""

import configparser
import re
import shlex
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from livekpi.cli import LOCKED, MISTAKES, USAGE, main
from tests.house.tree import ROOT

PAGE = (ROOT / "docs/operating.md").read_text()


def block(name: str) -> str:
    """The page's block of this name."""
    found = re.search(rf"^```[a-z]+ {re.escape(name)}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, name
    return found[1]


def test_its_rules_ask_for_metrics_that_are() -> None:
    known = set(re.findall(r"^\| `(livekpi_\w+)` \|", (ROOT / "docs/reference/metrics.md").read_text(), re.MULTILINE))
    [group] = YAML(typ="safe").load(block("prometheus-rules.yaml"))["groups"]
    asked = {name for rule in group["rules"] for name in re.findall(r"livekpi_\w+", rule["expr"])}
    assert len(asked) == 4
    assert {re.sub(r"_(total|bucket)$", "", name) for name in asked} <= known


def test_its_service_is_a_command_that_there_is(tmp_path: Path) -> None:
    service = configparser.ConfigParser()
    service.optionxform = str  # type: ignore[assignment,method-assign]  # systemd tells Exec from exec
    service.read_string(block("livekpi.service"))
    program, *arguments = shlex.split(service["Service"]["ExecStart"])
    assert Path(program).name == "livekpi"
    missing = [argument.replace("/etc/livekpi/", f"{tmp_path}/") for argument in arguments]
    with pytest.raises(SystemExit) as ended:
        main(missing)
    assert ended.value.code == USAGE, "no such file"
    (tmp_path / "shop.yaml").write_text("kpis: 1\n")
    with pytest.raises(SystemExit) as ended:
        main(missing)
    assert ended.value.code == MISTAKES, "all else of the command is understood"
    assert service["Service"]["RestartPreventExitStatus"].split() == [str(code) for code in (USAGE, MISTAKES, LOCKED)]
