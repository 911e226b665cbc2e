"""Lists of products."""

from world import made

SORTS = [
    "created_at", "-created_at", "name", "-name", "price", "-price", "updated_at", "-updated_at",
]  # fmt: skip


def listed(client, query):
    return made(client.get(f"/products?{query}"), 200)
