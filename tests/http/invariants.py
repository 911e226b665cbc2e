"""What must hold across the three stores, whatever happened to the processes meanwhile.

Reads the stores of a platform's directory (stores.py), read-only. The stock rules hold at any moment; the rules between services
hold once everything is settled: nothing in the outbox, no checkout under way.

    faults(directory)          every rule that is broken, as text; [] is what a test wants
    settle(directory, ...)     waits until nothing is under way any more
    check(bed)                 both, as an assertion
"""

import sqlite3
import time
from contextlib import closing

import stores

SERVICES = ("product", "cart", "order")

# product/migrations.h: opening stock + adjustments = inventory + reserved + shipped. Movements with a
# reference belong to an order, all others brought stock in or took it out.
STOCK_RULES = {
    "opening + adjustments = inventory + reserved + shipped": """
        SELECT id, (SELECT coalesce(sum(delta), 0) FROM stock_movements AS m
                    WHERE m.product_id = p.id AND reference IS NULL) AS brought_in,
               inventory, reserved, shipped
        FROM products AS p WHERE brought_in <> inventory + reserved + shipped""",
    "the ledger adds up to inventory": """
        SELECT id, inventory, (SELECT coalesce(sum(delta), 0) FROM stock_movements AS m
                               WHERE m.product_id = p.id) AS ledger
        FROM products AS p WHERE ledger <> inventory""",
    "no figure is negative": """
        SELECT id, inventory, reserved, shipped FROM products
        WHERE inventory < 0 OR reserved < 0 OR shipped < 0""",
    "reserved and shipped are what reservations say": """
        SELECT id, reserved, shipped FROM products AS p
        WHERE reserved <> (SELECT coalesce(sum(quantity), 0) FROM reservation_items AS i
                           JOIN reservations AS r USING (order_id)
                           WHERE i.product_id = p.id AND r.state = 'held')
           OR shipped <> (SELECT coalesce(sum(quantity), 0) FROM reservation_items AS i
                          JOIN reservations AS r USING (order_id)
                          WHERE i.product_id = p.id AND r.state = 'shipped')""",
    "every reserved line has its movements, each once": """
        SELECT order_id, product_id, state, quantity FROM reservation_items AS i
        JOIN reservations AS r USING (order_id)
        WHERE (SELECT group_concat(reason || ' ' || delta, ', ') FROM
               (SELECT reason, delta FROM stock_movements AS m
                WHERE m.reference = i.order_id AND m.product_id = i.product_id ORDER BY m.id))
          IS NOT CASE state
             WHEN 'held' THEN 'hold ' || -quantity
             WHEN 'shipped' THEN 'hold ' || -quantity || ', ship 0'
             ELSE 'hold ' || -quantity || ', release ' || quantity END""",
    "every movement for an order has a reserved line": """
        SELECT reference, product_id, reason FROM stock_movements AS m
        WHERE reference IS NOT NULL AND NOT EXISTS
            (SELECT 1 FROM reservation_items AS i
             WHERE i.order_id = m.reference AND i.product_id = m.product_id)""",
    "what is held or shipped has lines": """
        SELECT order_id, state FROM reservations AS r
        WHERE state <> 'released' AND NOT EXISTS
            (SELECT 1 FROM reservation_items AS i WHERE i.order_id = r.order_id)""",
}

# Between services; the stores are attached under their names.
SETTLED_RULES = {
    "nothing is under way": """
        SELECT id, saga FROM orders.orders WHERE saga = 'placing'
        UNION ALL SELECT order_id, kind FROM orders.order_effects
        UNION ALL SELECT cart_id, order_id FROM cart.checkouts WHERE state = 'open'""",
    "no Idempotency-Key waits for an answer that will not come": """
        SELECT key, resource_id FROM orders.idempotency_keys WHERE status = 0
        UNION ALL SELECT key, resource_id FROM cart.idempotency_keys WHERE status = 0
        UNION ALL SELECT key, resource_id FROM product.idempotency_keys WHERE status = 0""",
    "a placed order's stock is where its status says": """
        SELECT o.id, o.status, r.state FROM orders.orders AS o
        LEFT JOIN product.reservations AS r ON r.order_id = o.id
        WHERE saga = 'placed' AND r.state IS NOT CASE
            WHEN status IN ('pending', 'processing') THEN 'held'
            WHEN status IN ('shipped', 'delivered') THEN 'shipped'
            ELSE 'released' END""",
    "a rejected order holds nothing": """
        SELECT o.id, r.state FROM orders.orders AS o
        JOIN product.reservations AS r ON r.order_id = o.id
        WHERE saga = 'rejected' AND r.state <> 'released'""",
    "no stock is held without an order": """
        SELECT r.order_id, r.state FROM product.reservations AS r
        WHERE state <> 'released' AND NOT EXISTS
            (SELECT 1 FROM orders.orders AS o WHERE o.id = r.order_id AND saga = 'placed')""",
    "an order's lines are the reserved ones": """
        SELECT l.order_id, l.product_id, l.quantity, i.quantity FROM orders.order_lines AS l
        LEFT JOIN product.reservation_items AS i
            ON i.order_id = l.order_id AND i.product_id = l.product_id
        WHERE i.quantity IS NOT l.quantity OR i.price IS NOT l.price OR i.name IS NOT l.name
        UNION ALL
        SELECT i.order_id, i.product_id, NULL, i.quantity FROM product.reservation_items AS i
        JOIN orders.orders AS o ON o.id = i.order_id AND saga = 'placed'
        WHERE NOT EXISTS (SELECT 1 FROM orders.order_lines AS l
                          WHERE l.order_id = i.order_id AND l.product_id = i.product_id)""",
    "a placed order consumed its cart's checkout": """
        SELECT o.id, o.cart_id, c.state FROM orders.orders AS o
        LEFT JOIN cart.checkouts AS c ON c.order_id = o.id AND c.cart_id = o.cart_id
        WHERE saga = 'placed' AND c.state IS NOT 'consumed'""",
    "only placed orders consume": """
        SELECT c.order_id, c.cart_id FROM cart.checkouts AS c
        WHERE state = 'consumed' AND NOT EXISTS
            (SELECT 1 FROM orders.orders AS o WHERE o.id = c.order_id
             AND o.cart_id = c.cart_id AND o.user_id = c.user_id AND saga = 'placed')""",
    "an order's lines are the cart's snapshot": """
        SELECT l.order_id, l.product_id, l.quantity, s.quantity FROM orders.order_lines AS l
        JOIN orders.orders AS o ON o.id = l.order_id
        LEFT JOIN cart.checkout_lines AS s ON s.order_id = l.order_id
            AND s.cart_id = o.cart_id AND s.product_id = l.product_id
        WHERE s.quantity IS NOT l.quantity OR s.unit_price IS NOT l.price
        UNION ALL
        SELECT s.order_id, s.product_id, NULL, s.quantity FROM cart.checkout_lines AS s
        WHERE NOT EXISTS (SELECT 1 FROM orders.order_lines AS l
                          WHERE l.order_id = s.order_id AND l.product_id = s.product_id)""",
    "only placed orders have lines, and all of them": """
        SELECT o.id, saga FROM orders.orders AS o WHERE (saga = 'placed') <> EXISTS
            (SELECT 1 FROM orders.order_lines AS l WHERE l.order_id = o.id)""",
    "an order's money adds up": """
        SELECT order_id, product_id, line_total FROM orders.order_lines
        WHERE line_total <> price * quantity
        UNION ALL
        SELECT id, saga, total_amount FROM orders.orders AS o WHERE saga = 'placed'
        AND total_amount <> (SELECT sum(line_total) FROM orders.order_lines AS l
                             WHERE l.order_id = o.id)""",
    "a history leads from pending to the status in legal steps": """
        SELECT o.id, o.status, steps FROM orders.orders AS o,
        (SELECT order_id, count(*) AS versions,
                group_concat(CASE WHEN status IS NOT before THEN status END, ' ') AS steps
         FROM (SELECT order_id, status, lag(status) OVER (PARTITION BY order_id ORDER BY version)
               AS before FROM orders.order_history ORDER BY order_id, version) GROUP BY order_id)
        ON order_id = o.id
        WHERE saga = 'placed' AND (version <> versions OR steps NOT IN (
            'pending', 'pending processing', 'pending cancelled', 'pending shipped',
            'pending processing cancelled', 'pending processing shipped',
            'pending shipped delivered', 'pending processing shipped delivered')
        OR steps NOT LIKE '%' || o.status)
        UNION ALL
        SELECT id, status, NULL FROM orders.orders AS o WHERE saga = 'placed' AND NOT EXISTS
            (SELECT 1 FROM orders.order_history AS h WHERE h.order_id = o.id)""",
    "lines are in a cart": """
        SELECT cart_id, product_id FROM cart.cart_lines AS l
        WHERE NOT EXISTS (SELECT 1 FROM cart.carts AS c WHERE c.id = l.cart_id)""",
    "a cart's last order took lines out of it": """
        SELECT id, last_order_id FROM cart.carts AS c WHERE last_order_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM cart.checkouts AS k WHERE k.cart_id = c.id
                        AND k.order_id = c.last_order_id AND state = 'consumed')""",
}


# Each store's name in SQL across them; "order" is a keyword.
SCHEMAS = {"product": "product", "cart": "cart", "order": "orders"}


def attach(directory, names=SERVICES):
    """One read-only connection to those stores."""
    connection = sqlite3.connect("file::memory:", uri=True, timeout=10)
    for name in names:
        stores.find(directory, name).attach(connection, SCHEMAS[name])
    return connection


def broken(store, rules):
    for rule, query in rules.items():
        rows = store.execute(query).fetchall()
        if rows:
            yield f"{rule}: {len(rows)} broken, {rows[:5]}"


def stock_faults(directory):
    """Of the product store; it need not be settled."""
    with closing(attach(directory, ["product"])) as store:
        store.execute("BEGIN")  # all rules see the same moment
        yield from integrity_faults(store, "product")
        yield from broken(store, STOCK_RULES)


def integrity_faults(store, schema):
    result = store.execute(f"PRAGMA {schema}.integrity_check").fetchall()
    if result != [("ok",)]:
        yield f"integrity of {schema}: {result[:5]}"


def faults(directory):
    """Of all three stores, which must be settled."""
    found = list(stock_faults(directory))
    with closing(attach(directory)) as store:
        for schema in ("cart", "orders"):
            found += integrity_faults(store, schema)
        found += broken(store, SETTLED_RULES)
    return found


# What is not settled yet, in the order service's store: orders being placed, effects to carry out.
UNDER_WAY = (
    "SELECT id, saga FROM orders WHERE saga = 'placing'"
    " UNION ALL SELECT order_id, kind || ', tried ' || attempts FROM order_effects"
)


def under_way(directory):
    return stores.find(directory, "order").read(UNDER_WAY)


def settle(directory, seconds):
    """Waits until nothing is under way; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while left := under_way(directory):
        assert time.monotonic() < deadline, f"not settled within {seconds} s: {left[:5]}"
        time.sleep(0.05)


def check(bed, seconds=15):
    """Asserts that a platform settles and that every rule holds then."""
    settle(bed.directory, seconds)
    found = faults(bed.directory)
    assert not found, "\n".join(found)
