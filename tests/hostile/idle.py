"""Connects so many times, says so, and does nothing until its standard input ends.

usage: idle.py PORT COUNT
"""

import resource
import socket
import sys

port, count = int(sys.argv[1]), int(sys.argv[2])
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, count + 100), most))
held = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
print("connected", len(held), flush=True)
sys.stdin.read()
