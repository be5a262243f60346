"""touch_daemon.py PID PATH CALL: tries CALL on every thread of the daemon while it answers for PATH.

Prints whether it ever had a right to, and whether it tried often enough.
"""

import os
import sys
import threading

pid, path, call = int(sys.argv[1]), sys.argv[2], sys.argv[3]
CALLS = {
    "kill": lambda thread: os.kill(thread, 0),
    "setpriority": lambda thread: os.setpriority(os.PRIO_PROCESS, thread, 5),
    "sched_setaffinity": lambda thread: os.sched_setaffinity(thread, os.sched_getaffinity(0)),
}


def succeeds():
    for thread in map(int, os.listdir(f"/proc/{pid}/task")):
        try:
            CALLS[call](thread)
        except (PermissionError, ProcessLookupError):
            continue
        return True
    return False


def work():
    for _ in range(300):
        with open(path, "rb") as file:
            file.read()


worker = threading.Thread(target=work)
worker.start()
touched, rounds = False, 0
while worker.is_alive():
    touched |= succeeds()
    rounds += 1
print((touched, rounds > 10))
