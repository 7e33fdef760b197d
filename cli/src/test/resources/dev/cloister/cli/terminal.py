"""Runs a command on a terminal of its own and plays a dialogue with it.

usage: terminal.py STEP... -- COMMAND [ARG...]

A step is "expect TEXT" or "send TEXT", with backslash escapes. Prints what the terminal showed and
how the command ended.
"""

import os
import pty
import select
import sys
import time

PATIENCE = 60  # seconds, only against a dialogue that hangs

split = sys.argv.index("--")
steps, command = sys.argv[1:split], sys.argv[split + 1 :]
shown = b""
position = 0


def read_more(deadline):
    global shown
    ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
    if not ready:
        os.kill(process, 9)
        sys.exit("nothing more after: %r" % shown)
    try:
        text = os.read(terminal, 4096)
    except OSError:  # EIO: the last process has closed the terminal
        text = b""
    shown += text
    return text


process, terminal = pty.fork()
if process == 0:
    os.execvp(command[0], command)
for step in steps:
    word, _, text = step.partition(" ")
    text = text.encode().decode("unicode_escape").encode()
    if word == "send":
        os.write(terminal, text)
        continue
    deadline = time.monotonic() + PATIENCE
    while text not in shown[position:]:
        if not read_more(deadline):
            sys.exit("expected %r, the terminal showed: %r" % (text, shown))
    position = shown.index(text, position) + len(text)
while read_more(time.monotonic() + PATIENCE):
    pass
_, status = os.waitpid(process, 0)
print(shown.decode().replace("\r\n", "\n"))
print("ended with", os.waitstatus_to_exitcode(status))
