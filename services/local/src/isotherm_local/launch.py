"""Becomes the program named by its arguments after asking the kernel to end it together with its parent.

A process of its own and not a `preexec_fn`: code between fork and exec is not safe while other threads run. It is
started with `python -I -S`, so it costs a few milliseconds.

Arguments: the parent's process id, then the command line.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process's life to the parent's and become the command."""
    parent, *command = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):
            sys.exit("The process that started this one is gone.")
    # Python ignores SIGPIPE for itself, and what is ignored stays so across exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
