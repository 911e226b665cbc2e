"""A catalogue with more products than a listing looks at for one page, written directly to the store.
The rare ones are last by name, price and creation."""

import dataclasses

import stores

SIZE = 21_000


@dataclasses.dataclass
class Product:
    number: int

    @property
    def name(self):
        return f"Thing {self.number:06}"

    @property
    def price(self):
        return self.number

    @property
    def category(self):
        return "odd" if self.number % 2 else "even"

    @property
    def inventory(self):
        return 0 if self.number >= SIZE - 1500 else 50

    @property
    def low(self):
        return self.number >= SIZE - 800

    @property
    def tags(self):
        few = ["few"] if self.number % 1000 == 7 else []
        return few + (["many"] if self.number % 14 == 3 else [])


NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"


def padded(width):
    return f"lpad(i::text, {width}, '0')" if stores.POSTGRES else f"printf('%0{width}d', i)"


def insert(service, table, rows, condition="1 = 1"):
    """Rows numbered by i: a column's value is SQL."""
    columns, values = ", ".join(rows), ", ".join(rows.values())
    service.store.write(
        f"{NUMBERS} INSERT INTO {table} ({columns}) SELECT {values} FROM n WHERE {condition}",
        SIZE - 1,
    )


def fill(service):
    identifier = f"'0a000000-0000-7000-8000-' || {padded(12)}"
    tags = (
        "'[' || (CASE WHEN i % 1000 = 7 THEN '\"few\"' ELSE '' END)"
        " || (CASE WHEN i % 1000 = 7 AND i % 14 = 3 THEN ',' ELSE '' END)"
        " || (CASE WHEN i % 14 = 3 THEN '\"many\"' ELSE '' END) || ']'"
    )
    products = {
        "id": identifier,
        "name": f"'Thing ' || {padded(6)}",
        "price": "i",
        "inventory": f"CASE WHEN i >= {SIZE - 1500} THEN 0 ELSE 50 END",
        "low_stock_threshold": f"CASE WHEN i >= {SIZE - 800} THEN 50 END",
        "category": "CASE i % 2 WHEN 1 THEN 'odd' ELSE 'even' END",
        "tags": tags,
        "description": "''",
        "created_at": "i",
        "updated_at": "i",
    }
    insert(service, "products", products)
    for tag, condition in (("few", "i % 1000 = 7"), ("many", "i % 14 = 3")):
        rows = {"tag": f"'{tag}'", "product_created_at": "i", "product_id": identifier}
        insert(service, "product_tags", rows, condition)
