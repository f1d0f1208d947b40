"""The commands; each calls one function. Data goes to stdout, all else to stderr; docs/exit-codes.md lists the exit codes.

Imports stand in the commands, so that `livekpi --help` and completion answer at once.
"""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TextIO

import click

from livekpi.data_directory import DEFAULT

if TYPE_CHECKING:
    from livekpi.alerts.words import Kind

P = ParamSpec("P")

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DIRECTORY = click.Path(file_okay=False, path_type=Path)

FAILED, USAGE, MISTAKES, LOCKED = 1, 2, 3, 4


class Duration(click.ParamType[float]):
    """A duration as in the file, given on as seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from livekpi.definition.durations import parse_duration

        try:
            return parse_duration(value).total_seconds()
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


DURATION = Duration()


def explained(command: Callable[P, None]) -> Callable[P, None]:
    """Turns what a user can put right into a message and an exit code; all else is a fault of livekpi and keeps its stack."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from livekpi.alerts.notifiers.errors import NotifierError
        from livekpi.client import ClientError
        from livekpi.definition.problems import DefinitionError
        from livekpi.engine.cluster import ClusterError
        from livekpi.query.steps import QueryError
        from livekpi.sources.base import SourceError
        from livekpi.store.lock import LockedError
        from livekpi.store.schema import StoreError
        from livekpi.web.access.tokens import AuthError
        from livekpi.web.server import ServerError

        try:
            command(*args, **kwargs)
        except DefinitionError as error:
            _end(str(error), MISTAKES)
        except LockedError as error:
            _end(f"livekpi: {error}", LOCKED)
        except (AuthError, ClientError, ClusterError, NotifierError, QueryError, ServerError, SourceError, StoreError) as error:
            _end(f"livekpi: {error}", FAILED)

    return run


def _end(message: str, code: int) -> None:
    click.echo(message, err=True)
    sys.exit(code)


def ended_at_once(command: Callable[P, None]) -> Callable[P, None]:
    """Lets a command that serves end while somebody's answer is still being computed."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from livekpi.leaving import leaving

        with leaving():
            command(*args, **kwargs)

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="livekpi")
def main() -> None:
    """Business KPIs, live: one YAML file in, right numbers out.

    \b
    Begin with `livekpi demo`, a synthetic shop whose numbers move. Then:
      livekpi init events.ndjson > kpis.yaml   a first file from some of your events
      livekpi check kpis.yaml                  what is wrong with it, and where
      livekpi run kpis.yaml                    collect, compute and serve
      livekpi query revenue --step 1h          ask
    """
    from livekpi.logs import configure

    configure(sys.stderr)


@main.command()
@click.argument("file", type=FILE)
@click.option("--data", type=DIRECTORY, help="Where the numbers are kept.  [default: .livekpi beside FILE]")
@click.option("--listen", default="127.0.0.1:8321", show_default=True, metavar="HOST:PORT", help="Where to serve.")
@click.option("--once", is_flag=True, help="Read what is there now, commit it, call finished buckets final, and end.")
@click.option(
    "--token-file",
    type=FILE,
    help="Tokens, one a line: `TOKEN` for all, or `SCOPE TOKEN` (ingest, embed, read, act); KPIs may follow one for embed.",
)
@click.option("--insecure", is_flag=True, help="Serve without a token to other machines too.")
@ended_at_once
@explained
def run(file: Path, data: Path | None, listen: str, once: bool, token_file: Path | None, insecure: bool) -> None:
    """Collect, compute, store and serve the KPIs of FILE."""
    import livekpi.run

    if once:
        livekpi.run.run_once(file, data)
    else:
        livekpi.run.run(file, data, listen, token_file, insecure=insecure)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=DIRECTORY,
    help="Also say what running FILE on this data would drop or restart, and which rules never held there, or nearly always.",
)
@explained
def check(file: Path, data: Path | None) -> None:
    """Report every mistake in FILE, with its line and column; with --data beside a running server or without one."""
    import livekpi.checking

    problems = livekpi.checking.check(file, data)
    for problem in problems:
        click.echo(str(problem))
    if any(not problem.warning for problem in problems):
        sys.exit(MISTAKES)
    click.echo(f"{file}: no mistakes", err=True)


@main.command()
@click.argument("file", type=FILE)
@click.option("--engine", type=click.Choice(["embedded", "flink", "spark"]), help="Another than the file's.")
@click.option("--data", type=DIRECTORY, help="Where the numbers are kept.  [default: .livekpi beside FILE]")
@explained
def plan(file: Path, engine: str | None, data: Path | None) -> None:
    """Print what would run: SQL, or what a Spark job is told."""
    import livekpi.jobs

    livekpi.jobs.show_plan(file, data, engine, sys.stdout)


@main.command()
@click.argument("file", type=FILE)
@click.option("--data", type=DIRECTORY, help="The data directory.  [default: .livekpi beside FILE]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@explained
def status(file: Path, data: Path | None, form: str) -> None:
    """Say how the job of FILE is on its cluster, and how far the server is."""
    import livekpi.jobs

    livekpi.jobs.show_status(file, data, form, sys.stdout)


@main.command()
@click.argument("file", type=FILE)
@click.option("--data", type=DIRECTORY, help="The data directory.  [default: .livekpi beside FILE]")
@click.option("--savepoint", is_flag=True, help="Have the job keep its state, and print where; the next run goes on from there.")
@explained
def stop(file: Path, data: Path | None, savepoint: bool) -> None:
    """Stop the job of FILE on its cluster, until the next run."""
    import livekpi.jobs

    livekpi.jobs.stop(file, data, sys.stdout, savepoint=savepoint)


@main.command()
@explained
def schema() -> None:
    """Print the JSON Schema of definition files, for editors."""
    import json

    import livekpi.definition.shape.schema

    click.echo(json.dumps(livekpi.definition.shape.schema.schema(), indent=2))


@main.command()
@click.argument("sample", type=FILE)
@explained
def init(sample: Path) -> None:
    """Infer sources and fields from SAMPLE events, and print a definition file that runs."""
    import livekpi.definition.samples.infer

    click.echo(livekpi.definition.samples.infer.infer(sample), nl=False)


@main.command()
@click.argument("kpi")
@click.option("--data", type=DIRECTORY, default=DEFAULT, show_default=True, help="The data directory.")
@click.option("--from", "from_", metavar="T", help="The first step starts here or later: ISO 8601, seconds since the epoch, or -1d.")
@click.option("--to", metavar="T", help="The last step starts before.")
@click.option("--step", help="10s, 1m, 1h, 1d, 1w: a multiple of the KPI's bucket; `all` for one value.  [default: the finest kept]")
@click.option("--by", metavar="A,B", help="Slice by these dimensions.")
@click.option("--where", metavar="CONDITION", help="Only these slices, as in \"country = 'DE'\".")
@click.option("--timezone", default="UTC", show_default=True, help="Where days and weeks begin.")
@click.option("--compare", metavar="SPAN", help="Beside each value the one this much earlier: 1d, 1w.")
@click.option("--with", "with_", metavar="A,B", help="Beside each value, where it is known: the `band` it was expected in, a `prediction`.")
@click.option("--pace", is_flag=True, help="In place of points: where the target's period was going, now, or at the end of each --step.")
@click.option("--at", metavar="T", help="With --pace: as of this time.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
@explained
def query(kpi: str, data: Path, pace: bool, form: str, **asked: str | None) -> None:
    """Ask for KPI's points, beside a running server or without one."""
    import livekpi.asking

    question = {"kpi": kpi} | {name.rstrip("_"): text for name, text in asked.items() if text is not None}
    wrong = question.keys() & ({"by", "where", "compare", "with"} if pace else {"at"})
    if wrong:
        raise click.UsageError(f"--{min(wrong)} is {'not ' if pace else ''}for --pace")
    show = livekpi.asking.show_pace if pace else livekpi.asking.show
    show(question, data, form, sys.stdout)


@main.command()
@click.argument("file", type=FILE)
@click.option("--data", type=DIRECTORY, help="The data directory.  [default: .livekpi beside FILE]")
@click.option("--from", "from_", metavar="T", help="Judge only from this time on: ISO 8601, seconds since the epoch, or -30d.")
@click.option("--to", metavar="T", help="Judge only up to this time.")
@click.option("--rule", "rules", metavar="NAME", multiple=True, help="Try only this rule; of several, again.")
@click.option("--incidents", type=FILE, help="What should have been told: CSV, YAML or JSON with start, end and perhaps name and rule.")
@click.option("--against", type=FILE, help="Another definition file: which alerts FILE adds, removes and moves.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@explained
def backtest(
    file: Path, data: Path | None, rules: tuple[str, ...], incidents: Path | None, against: Path | None, form: str, **asked: str | None
) -> None:
    """Try the alert rules of FILE on history: who would have been told, when and how often."""
    import livekpi.backtesting
    from livekpi.clock import SystemClock

    question = {name.rstrip("_"): text for name, text in asked.items()}
    livekpi.backtesting.show(file, data, against, incidents, question, rules, form, SystemClock(), sys.stdout)


@main.command("dead-letters")
@click.option("--data", type=DIRECTORY, default=DEFAULT, show_default=True, help="The data directory.")
@click.option("--source", help="Only those of this source.")
@click.option("--reason", help="Only those of this kind (not_json, wrong_type, …), or whose reason says this.")
@click.option("--from", "from_", metavar="T", help="Only those that arrived at or after this time.")
@click.option("--to", metavar="T", help="Only those that arrived before.")
@click.option("--limit", type=click.IntRange(1, 10_000), help="At most so many, the oldest first.  [default: 1000]")
@click.option("--replay", is_flag=True, help="Feed them back: those that are events now are counted.")
@click.option("--mended", type=click.File(), help="Feed back the letters of this file, listed as here and mended; `-` is stdin.")
@explained
def dead_letters(data: Path, replay: bool, mended: TextIO | None, **asked: str | int | None) -> None:
    """List records that could not be counted, with the reason; one JSON object a line.

    Where there are more than --limit can say, ask for a part of them by the other options. A row of CSV is listed, and mended, without
    its header, whose names are its `columns`. Ends with code 1 where none of the letters to feed back could be, or a server took only
    some of them.
    """
    import livekpi.letters
    from livekpi.clock import SystemClock

    question = {name.rstrip("_"): str(value) for name, value in asked.items() if value is not None}
    if replay or mended:
        if not livekpi.letters.show_replay(question, data, SystemClock(), mended, sys.stdout):
            sys.exit(FAILED)
    else:
        livekpi.letters.show(question, data, SystemClock(), sys.stdout)


@main.command()
@click.option("--data", type=DIRECTORY, default=DEFAULT, show_default=True, help="The data directory.")
@click.option("--history", is_flag=True, help="What fired, and who was told of it, the last first.")
@click.option("--rule", metavar="A,B", help="Only of these rules.")
@click.option("--severity", metavar="A,B", help="Only these: critical, error, warning, info.")
@click.option("--status", metavar="A,B", help="pending, firing, resolved (within the last day).  [default: pending,firing]")
@click.option("--from", "from_", metavar="T", help="With --history: only what fired at or after this time.")
@click.option("--to", metavar="T", help="With --history: only what fired before.")
@click.option("--limit", type=click.IntRange(1, 1000), help="With --history: at most so many.  [default: 100]")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@explained
def alerts(data: Path, history: bool, form: str, **asked: str | int | None) -> None:
    """List what is pending or fires, beside a running server or without one."""
    import livekpi.alert_commands
    from livekpi.clock import SystemClock

    question = {name.rstrip("_"): str(value) for name, value in asked.items() if value is not None}
    wrong = question.keys() & ({"severity", "status"} if history else {"from", "to", "limit"})
    if wrong:
        raise click.UsageError(f"--{min(wrong)} is {'not ' if history else ''}for --history")
    show = livekpi.alert_commands.show_history if history else livekpi.alert_commands.show_alerts
    show(question, data, SystemClock(), form, sys.stdout)


def said_of_alerts(command: Callable[P, None]) -> Callable[P, None]:
    """The options that a silence and an acknowledgement have alike."""
    options = [
        click.argument("rule", required=False),
        click.option(
            "--series", metavar="DIMENSION=VALUE", multiple=True, help="Only these series; of a rule with several dimensions, again."
        ),
        click.option("--for", "for_", metavar="DURATION", help="For how long, such as 2h."),
        click.option("--until", metavar="T", help="Until when, in place of --for."),
        click.option("--reason", help="Why."),
        click.option("--author", help="Who says so.  [default: the user's name]"),
        click.option("--data", type=DIRECTORY, default=DEFAULT, show_default=True, help="The data directory."),
        click.option("--list", "list_", is_flag=True, help="List those that hold, now or later."),
        click.option("--end", type=click.IntRange(1), metavar="NUMBER", help="Let one end now."),
        click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@main.command()
@said_of_alerts
@click.option("--from", "from_", metavar="T", help="When it begins.  [default: now]")
@click.option("--all", "all_", is_flag=True, help="Silence all rules.")
@explained
def silence(rule: str | None, all_: bool, list_: bool, end: int | None, **rest: Any) -> None:
    """Let nobody be told of RULE's alerts for a time; what fires when it ends is told then."""
    if list_ + (end is not None) + (rule is not None) + all_ != 1:
        raise click.UsageError("expected one of RULE, --all, --list and --end")
    _say("silences", rule, list_, end, **rest)


@main.command()
@said_of_alerts
@explained
def acknowledge(rule: str | None, list_: bool, end: int | None, **rest: Any) -> None:
    """Say that you look after what fires of RULE, until it is over, or for a day at most."""
    if list_ + (end is not None) + (rule is not None) != 1:
        raise click.UsageError("expected one of RULE, --list and --end")
    _say("acknowledgements", rule, list_, end, **rest)


def _say(
    kind: "Kind", rule: str | None, list_: bool, end: int | None, series: tuple[str, ...], data: Path, form: str, **asked: str | None
) -> None:
    import livekpi.alert_commands
    from livekpi.clock import SystemClock

    clock, given = SystemClock(), {name.rstrip("_"): text for name, text in asked.items() if text is not None}
    if list_:
        livekpi.alert_commands.list_words(kind, data, clock, form, sys.stdout)
    elif end is not None:
        livekpi.alert_commands.end_word(kind, end, data, clock, sys.stdout)
    else:
        about = given | ({} if rule is None else {"rule": rule})
        livekpi.alert_commands.say_word(kind, about, series, data, clock, form, sys.stdout)


@main.command()
@click.argument("text", required=False)
@click.option("--kind", metavar="WORD", help="What it is, in a word: deploy, campaign, incident …  [default: note]")
@click.option("--kpi", metavar="A,B", help="Only on the charts of these KPIs.  [default: all]")
@click.option("--at", "time", metavar="T", help="When it was, or will be.  [default: now]")
@click.option("--end", metavar="T", help="When it was over, where it took a while.")
@click.option("--link", metavar="URL", help="Where more is said.")
@click.option("--author", help="Who says so.  [default: the user's name]")
@click.option("--data", type=DIRECTORY, default=DEFAULT, show_default=True, help="The data directory.")
@click.option("--list", "list_", is_flag=True, help="List all annotations.")
@click.option("--delete", type=click.IntRange(1), metavar="NUMBER", help="Delete one.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@explained
def annotate(text: str | None, kpi: str | None, data: Path, list_: bool, delete: int | None, form: str, **asked: str | None) -> None:
    """Note on the charts what happened: a deploy, a campaign, whatever explains a curve."""
    import livekpi.annotate
    from livekpi.clock import SystemClock

    if list_ + (delete is not None) + (text is not None) != 1:
        raise click.UsageError("expected one of TEXT, --list and --delete")
    if list_:
        livekpi.annotate.show(data, form, sys.stdout)
    elif delete is not None:
        livekpi.annotate.delete(delete, data, SystemClock(), sys.stdout)
    else:
        given: dict[str, Any] = {"text": text, **{name: value for name, value in asked.items() if value is not None}}
        given |= {} if kpi is None else {"kpis": [name.strip() for name in kpi.split(",") if name.strip()]}
        livekpi.annotate.add(given, data, SystemClock(), form, sys.stdout)


@main.command()
@click.argument("file", type=FILE)
@click.option("--test", "name", required=True, metavar="NAME", help="Whom to tell: one of the file's notifiers.")
@click.option("--resolve", is_flag=True, help="Say that the test is over, to a receiver that keeps it open.")
@explained
def notify(file: Path, name: str, resolve: bool) -> None:
    """Send a test alert to a notifier of FILE, and print whether it was taken."""
    import livekpi.alert_commands
    from livekpi.clock import SystemClock

    if not livekpi.alert_commands.try_notifier(name, file, SystemClock(), sys.stdout, resolve=resolve):
        sys.exit(FAILED)


@main.command()
@click.argument("file", type=FILE)
@click.option("--data", type=DIRECTORY, help="The server's data directory.  [default: .livekpi beside FILE]")
@explained
def top(file: Path, data: Path | None) -> None:
    """Watch the KPIs of FILE's running server in a table that moves."""
    import livekpi.watching

    livekpi.watching.watch(file, data)


@main.command()
@click.option("--listen", metavar="HOST:PORT", help="Where to serve.  [default: 127.0.0.1:8321, or a free port where that is taken]")
@click.option("--data", type=DIRECTORY, help="Where the numbers are kept.  [default: a directory that is removed afterwards]")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed is another shop.")
@click.option("--for", "seconds", type=DURATION, metavar="DURATION", help="End by itself after this long, such as 30s.")
@ended_at_once
@explained
def demo(listen: str | None, data: Path | None, seed: int, seconds: float | None) -> None:
    """Show a synthetic shop whose numbers move; needs nothing else."""
    import livekpi.demo

    livekpi.demo.run(listen, data, seed, seconds)


@main.command("test")
@click.argument("scripts", type=FILE, nargs=-1, required=True)
@click.option("--kill-everywhere", is_flag=True, help="Run each again with a crash and a restart at every step.")
@explained
def test(scripts: tuple[Path, ...], kill_everywhere: bool) -> None:
    """Run test SCRIPTS: events in, expected points out."""
    import livekpi.scripts

    sys.exit(livekpi.scripts.run(scripts, kill_everywhere))


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion for SHELL; `eval "$(livekpi completion bash)"` switches it on."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(main, {}, "livekpi", "_LIVEKPI_COMPLETE").source())


if __name__ == "__main__":
    main(prog_name="livekpi")
