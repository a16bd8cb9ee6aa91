"""The command line: reads options, calls one function, renders, exits.

Commands are loaded when they are called, so that `reprocheck --help` stays fast.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib
import os
import signal
import sys
import time
from types import FrameType

import click

from reprocheck import __version__

COMMANDS = {
    "verify": "Rerun a recorded training run and say whether it reproduces.",
    "validate": "Judge a run's record, and name the line that mends it.",
    "plan": "Say what a verification could answer, and what it would cost.",
    "fetch": "Fetch a run, its artifacts and data for a verification without credentials.",
    "compare": "Judge recorded runs or plain values as reruns of an original, without rerunning.",
    "report": "Render a report that verify wrote, or the check of a job, once more.",
    "accept": "Make a changed result the new baseline of its run.",
    "audit": "Say how verifiable the runs of an experiment are, and why.",
    "top": "Say which runs are worth verifying again.",
    "aggregate": "Say what the verifications of several runs say together, and how it was before.",
    "history": "Say since when a run no longer reproduces, and what changed then.",
    "record": "Run a training so that its run can be verified, or refuse to.",
    "init": "Write a config, and workflows that verify pull requests and the best runs.",
    "doctor": "Say what this machine offers to verifications, and what mends the rest.",
    "clean": "Remove what dead verifications left in the container engine.",
    "demo": "Make a small real project, train it, and verify its runs.",
}

HIDDEN = frozenset({"action"})
"""Commands that machines call: they have --help, and are listed nowhere."""

_PIPE_CLOSED = 128 + signal.SIGPIPE
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_S = 10.0
"""Seconds after a signal in which another one changes nothing."""

EXIT_CODES = """\b
Exit codes of verify and compare:
  0    reproduced (CONSISTENT too, unless --require reproduced)
  1    a defect in reprocheck
  2    wrong usage or config; unknown or ambiguous run; no such store
  3    not verified: a stage could not do its work, or a metric is missing;
       of validate: a finding is an error;
       of doctor: something that is needed here is missing or broken;
       of record: refused, and nothing was run
  10   not reproduced
  11   inconclusive
  12   misses its own success criteria (only with --require criteria)
  130  interrupted (SIGINT); 143: terminated (SIGTERM)
  129  its terminal was closed (SIGHUP)
  141  nobody reads its output any more
"""


class LazyGroup(click.Group):
    """Commands by name; a command's module is imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS and cmd_name not in HIDDEN:
            return None
        module = importlib.import_module(f"reprocheck.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, prog_name="reprocheck")
def cli() -> None:
    """Does this training run reproduce?

    reprocheck reads a recorded run, restores its code and data, rebuilds its environment, reruns
    the training until the answer is sure, and compares the metrics with statistics that admit what
    they do not know.
    """


def main() -> None:
    """The console script: every expected way to end has its exit code and no traceback."""
    for signum in SIGNALS:
        if signum is not signal.SIGHUP or signal.getsignal(signum) is not signal.SIG_IGN:  # nohup
            signal.signal(signum, _interrupt)
    code = run(sys.argv[1:])
    for signum in SIGNALS:  # it is over: the exit code says how
        signal.signal(signum, signal.SIG_IGN)
    sys.exit(_flushed(code))


def _flushed(code: int) -> int:
    """The exit code; where nobody reads our output, Python must not try again at its end."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED if isinstance(error, BrokenPipeError) else code or 3
    return code


def run(args: list[str]) -> int:
    """Runs the command line and returns the exit code."""
    try:
        result = cli.main(args=args, prog_name="reprocheck", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except SystemExit:  # click's answer where the reader of our output went away, as `| head` does
        return _PIPE_CLOSED
    except BaseException as error:
        return _told(error)
    return result if isinstance(result, int) else 0


def _unheeded() -> contextlib.AbstractContextManager[None]:
    """In a job of GitHub its runner must take nothing in the block for a command to it."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return contextlib.nullcontext()
    from reprocheck.action.commands import unheeded

    return unheeded(functools.partial(click.echo, err=True))


def _told(error: BaseException) -> int:
    """Tells an expected error and returns its exit code; raises all others again."""
    from reprocheck.errors import Interruption, ReprocheckError  # --help must stay fast

    match error:
        case ReprocheckError(message=message, hint=hint, usage=usage):
            from reprocheck.hostile import printable, redact

            told = f"Error: {message}" + (f"\nHint: {hint}" if hint else "")
            with _unheeded():
                for line in redact(told).split("\n"):  # a config may come from anybody's branch
                    click.echo(printable(line), err=True)
            return 2 if usage else 3
        case Interruption(signum=signum):
            with contextlib.suppress(OSError):  # a terminal that was closed
                click.echo("\nInterrupted; everything was cleaned up.", err=True)
            return 128 + signum
        case OSError(errno=errno.ENOSPC | errno.EIO) if error.filename is None:
            # A stream's, as `--help > /dev/full`: the error of a file names it.
            with contextlib.suppress(OSError):
                click.echo(f"Error: writing the output failed: {error.strerror}", err=True)
            return 3
    raise error


def _interrupt(signum: int, frame: FrameType | None, not_before: float = 0.0) -> None:
    from reprocheck.errors import Interruption

    # What follows is cleaning up, which a second signal at once must not cut short. A later one
    # means that the first was lost: in a destructor, or in a library that catches everything.
    if time.monotonic() < not_before:
        return
    patient = functools.partial(_interrupt, not_before=time.monotonic() + PATIENCE_S)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, patient)
    raise Interruption(signum)
