"""Clients that repeat one request, in a process of their own, until its input ends: listing_load.py
PORT PATH CLIENTS. Prints the number of answers by status."""

import collections
import http.client
import sys
import threading

statuses = collections.Counter()
lock = threading.Lock()


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while True:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        with lock:
            statuses[answer.status] += 1


if __name__ == "__main__":
    port, path, clients = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    for _ in range(clients):
        threading.Thread(target=ask, args=(port, path), daemon=True).start()
    sys.stdin.read()
    with lock:
        print(*(f"{status}:{count}" for status, count in statuses.items()), flush=True)
