"""The peer in Python: products in memory, bodies checked and answers shaped by pydantic models.

Coroutines throughout, so that nothing waits for FastAPI's thread pool; run by uvicorn on uvloop
and httptools without an access log.
"""

from datetime import datetime, timezone
from typing import Dict, List, Optional
from uuid import uuid4

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, Extra, Field, StrictInt, StrictStr, confloat, conint, constr


class NewProduct(BaseModel):
    name: constr(strict=True, min_length=1, max_length=200)
    description: constr(strict=True, max_length=5000) = ""
    price: confloat(ge=0, le=9999999.99)
    inventory: conint(strict=True, ge=0) = 0
    sku: Optional[constr(strict=True, min_length=1, max_length=64)] = None
    category: Optional[constr(strict=True, max_length=100)] = None
    tags: List[constr(strict=True, max_length=50)] = Field(default_factory=list, max_items=20)

    class Config:
        extra = Extra.forbid


class Product(NewProduct):
    id: StrictStr
    currency: StrictStr
    reserved: StrictInt
    version: StrictInt
    created_at: datetime
    updated_at: datetime


app = FastAPI(title="Product peer", docs_url=None, redoc_url=None)
products: Dict[str, Product] = {}
skus = set()


@app.get("/products/{product_id}", response_model=Product)
async def get_product(product_id: str):
    product = products.get(product_id)
    if product is None:
        raise HTTPException(404, "Product not found")
    return product


@app.post("/products", response_model=Product, status_code=201)
async def create_product(new: NewProduct, response: Response):
    if new.sku is not None:
        if new.sku in skus:
            raise HTTPException(409, "SKU already in use")
        skus.add(new.sku)
    now = datetime.now(timezone.utc)
    # construct(): the fields were checked a line ago.
    product = Product.construct(
        id=str(uuid4()),
        currency="USD",
        reserved=0,
        version=1,
        created_at=now,
        updated_at=now,
        **new.dict(),
    )
    products[product.id] = product
    response.headers["Location"] = f"/products/{product.id}"
    return product
