"""An honest visitor: asks again and again, every other time over a new connection, and says how long the answers took.

usage: honest.py PORT SECONDS
"""

import json
import socket
import sys
import time

# Answers a second.
RATE = 200
REQUEST = b"GET /small HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
# Longer is an error.
PATIENCE = 10


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def ask(connection):
    connection.sendall(REQUEST)
    answer = b""
    while not answer.endswith(b"\r\n\r\nok"):
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionError("closed")
        answer += piece
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise ConnectionError("no 200")


def main():
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    kept, times, errors = None, [], 0
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        # At a steady pace. Who would have come while an answer is waited for waits as well, and that counts.
        due = begin + (len(times) + errors) / RATE
        late = time.monotonic() - due
        if late < 0:
            time.sleep(-late)
        asked = time.perf_counter() - max(0, late)
        try:
            if len(times) % 2:
                with connect(port) as connection:
                    ask(connection)
            else:
                kept = kept or connect(port)
                ask(kept)
            times.append(time.perf_counter() - asked)
        except OSError:
            errors += 1
            if kept:
                kept.close()
            kept = None
    times.sort()
    at = lambda share: round(times[min(len(times) - 1, int(len(times) * share))] * 1e6) if times else 0
    print(json.dumps({"answers": len(times), "errors": errors, "p50": at(0.5), "p99": at(0.99)}))


main()
