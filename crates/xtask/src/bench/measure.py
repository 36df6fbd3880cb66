"""Runs a command and tells how long it took, and how much memory.

    measure.py OUTPUT COMMAND…

Prints one line of JSON: seconds by the clock, seconds of all processors, the largest resident set in
bytes, and the exit status. What the command prints goes to the file OUTPUT.
"""

import json
import resource
import subprocess
import sys
import time

output, command = sys.argv[1], sys.argv[2:]
with open(output, "wb") as sink:
    start = time.perf_counter()
    status = subprocess.call(command, stdout=sink)
    wall = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "wall": wall,
    "cpu": used.ru_utime + used.ru_stime,
    "memory": used.ru_maxrss * 1024,
    "status": status,
}))
