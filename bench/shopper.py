"""One shopper who takes a breath between purchases: light load while workers are killed.

shopper.py CART_PORT ORDER_PORT PRODUCT_IDS: until SIGTERM, then prints what became of it.
"""

import http.client
import itertools
import json
import signal
import sys
import time
from pathlib import Path

PAUSE = 0.02  # seconds between purchases
TIMEOUT = 10
USER = "shopper"


class Refused(Exception):
    """An answer other than success."""


class Shopper:
    def __init__(self, cart_port, order_port):
        self.carts = http.client.HTTPConnection("127.0.0.1", cart_port, timeout=TIMEOUT)
        self.orders = http.client.HTTPConnection("127.0.0.1", order_port, timeout=TIMEOUT)

    @staticmethod
    def _post(connection, path, body):
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        if response.status not in (200, 201):
            raise Refused(f"{path}: {response.status} {answer[:300]!r}")
        return json.loads(answer)

    def buy(self, product):
        """The ids of the cart and of the order."""
        cart = self._post(self.carts, "/carts", {"user_id": USER})["id"]
        self._post(self.carts, f"/carts/{cart}/items", {"product_id": product, "quantity": 1})
        order = self._post(self.orders, "/orders", {"user_id": USER, "cart_id": cart})["id"]
        return cart, order


class Done(Exception):
    """SIGTERM came."""


def end(*_):
    raise Done


def main():
    shopper = Shopper(int(sys.argv[1]), int(sys.argv[2]))
    products = itertools.cycle(Path(sys.argv[3]).read_text().split())
    count = {"bought": 0, "failed": 0}
    signal.signal(signal.SIGTERM, end)
    try:
        for product in products:
            try:
                shopper.buy(product)
                count["bought"] += 1
            except (Refused, OSError, http.client.HTTPException):
                count["failed"] += 1
            time.sleep(PAUSE)
    except Done:
        print(json.dumps(count), flush=True)


if __name__ == "__main__":
    main()
