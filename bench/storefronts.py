"""How a shopper buys at each of the compared shops, with the same client: connections are kept, and
answers are asked to be as short as the shop allows.

A purchase has two halves. fill_cart() tells the shop everything that it wants to know before the
order. place() orders; a shopper who got no answer repeats it.
"""

import http.client
import json

TIMEOUT = 120  # seconds; the slowest shop needs a while for forty at once
EMAIL = "shopper@example.com"


class Refused(Exception):
    """An answer other than the one hoped for."""


class Client:
    """Keeps a connection to each port that is asked."""

    def __init__(self):
        self.connections = {}

    def ask(self, port, method, path, body=None, headers=None):
        """Status, headers and JSON of the answer. OSError or HTTPException: there was none."""
        if port not in self.connections:
            self.connections[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        connection = self.connections[port]
        sent = None if body is None else json.dumps(body).encode()
        more = {"Content-Type": "application/json", **(headers or {})}
        try:
            connection.request(method, path, sent, more)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        try:
            return response.status, response.headers, json.loads(text)
        except ValueError:
            raise Refused(f"{path}: {response.status} {text[:200]!r}") from None

    def hang_up(self):
        """The next question opens a connection anew: a server closes those that are idle."""
        for connection in self.connections.values():
            connection.close()

    def ask_well(self, *question):
        """Headers and JSON of an answer of 200 or 201."""
        status, headers, answer = self.ask(*question)
        if status not in (200, 201):
            raise Refused(f"{question[2]}: {status} {json.dumps(answer)[:300]}")
        return headers, answer


class Ours(Client):
    def __init__(self, ports):
        super().__init__()
        self.ports = ports

    def fill_cart(self, product):
        carts = self.ports["cart"]
        _, cart = self.ask_well(carts, "POST", "/carts", {"user_id": EMAIL})
        item = {"product_id": product, "quantity": 1}
        self.ask_well(carts, "POST", f"/carts/{cart['id']}/items", item)
        return cart["id"]

    def place(self, cart):
        order = {"user_id": EMAIL, "cart_id": cart}
        status, _, answer = self.ask(self.ports["order"], "POST", "/orders", order)
        if status == 201:
            return answer["id"]
        if answer.get("code") == "already-ordered":
            return answer["order_id"]
        raise Refused(f"{status} {answer.get('code', answer)}")


class Vendure(Client):
    """A cart is its order from the start: the session's token finds it until it is paid, its code
    afterwards."""

    ADD = """mutation ($id: ID!) { addItemToOrder(productVariantId: $id, quantity: 1) {
        __typename ... on Order { code } ... on ErrorResult { errorCode } } }"""
    PREPARE = """mutation ($email: String!, $shipping: ID!) {
        setCustomerForOrder(input: {emailAddress: $email, firstName: "Ada", lastName: "L"}) {
            __typename ... on ErrorResult { errorCode } }
        setOrderShippingAddress(input: {fullName: "Ada L", streetLine1: "Street 1", city: "Berlin",
            postalCode: "10115", countryCode: "DE"}) {
            __typename ... on ErrorResult { errorCode } }
        setOrderShippingMethod(shippingMethodId: [$shipping]) {
            __typename ... on ErrorResult { errorCode } }
        transitionOrderToState(state: "ArrangingPayment") {
            __typename ... on ErrorResult { errorCode } } }"""
    PAY = """mutation { addPaymentToOrder(input: {method: "dummy", metadata: {}}) {
        __typename ... on Order { code state } ... on ErrorResult { errorCode } } }"""
    PLACED = "query ($code: String!) { orderByCode(code: $code) { code state } }"

    def __init__(self, port, shipping):
        super().__init__()
        self.port = port
        self.shipping = shipping

    def _graphql(self, query, variables, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"query": query, "variables": variables}
        headers, answer = self.ask_well(self.port, "POST", "/shop-api", body, headers)
        if answer.get("errors"):
            raise Refused(json.dumps(answer["errors"])[:300])
        for result in answer["data"].values():
            if result and "errorCode" in result:
                raise Refused(result["errorCode"])
        return headers, answer["data"]

    def fill_cart(self, product):
        headers, added = self._graphql(self.ADD, {"id": product})
        token = headers["vendure-auth-token"]
        self._graphql(self.PREPARE, {"email": EMAIL, "shipping": self.shipping}, token)
        return token, added["addItemToOrder"]["code"]

    def place(self, cart):
        token, code = cart
        try:
            _, paid = self._graphql(self.PAY, {}, token)
            return paid["addPaymentToOrder"]["code"]
        except Refused as refused:
            if "NO_ACTIVE_ORDER" not in str(refused):
                raise
        _, found = self._graphql(self.PLACED, {"code": code}, token)
        if not found["orderByCode"] or found["orderByCode"]["state"] != "PaymentSettled":
            raise Refused(f"no active order, and {found}")
        return code


class Medusa(Client):
    ADDRESS = {
        "first_name": "Ada",
        "last_name": "L",
        "address_1": "Street 1",
        "city": "Berlin",
        "postal_code": "10115",
        "country_code": "de",
    }

    def __init__(self, port, key, region, shipping):
        super().__init__()
        self.port = port
        self.headers = {"x-publishable-api-key": key}
        self.region = region
        self.shipping = shipping

    def _post(self, path, body):
        return self.ask_well(self.port, "POST", f"/store/{path}", body, self.headers)[1]

    def fill_cart(self, product):
        asked = {
            "region_id": self.region,
            "email": EMAIL,
            "items": [{"variant_id": product, "quantity": 1}],
            "shipping_address": self.ADDRESS,
        }
        cart = self._post("carts?fields=id", asked)["cart"]["id"]
        self._post(f"carts/{cart}/shipping-methods?fields=id", {"option_id": self.shipping})
        made = self._post("payment-collections?fields=id", {"cart_id": cart})
        payment = made["payment_collection"]["id"]
        provider = {"provider_id": "pp_system_default"}
        self._post(f"payment-collections/{payment}/payment-sessions?fields=id", provider)
        return cart

    def place(self, cart):
        answer = self._post(f"carts/{cart}/complete?fields=id", {})
        if answer["type"] != "order":
            raise Refused(json.dumps(answer.get("error"))[:300])
        return answer["order"]["id"]
