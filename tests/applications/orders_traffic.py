"""What comes to `orders`: shoppers by the HTTP API, the back office by the REST API."""

import base64
import json
from typing import Any, ClassVar

from applications.traffic import Traffic, kind

CUSTOMERS = ("ada", "grace", "alan", "edsger", "barbara")
GOODS = {"tea": 3.5, "coffee": 12.9, "mug": 9, "kettle": 49.95, "filter": 0.07}
NOWHERE = "00000000-0000-4000-8000-000000000000"


class OrdersTraffic(Traffic):
    """Calls of the API; `known` are the orders that there should be, as last seen."""

    function_name = "orders"
    variables: ClassVar = {"ORDERS_TABLE": "orders", "FREE_SHIPPING_FROM": "50"}
    known: dict[str, dict[str, Any]]

    def prepare(self) -> None:
        """Make the table, and a few orders in each state."""
        name, of = "AttributeName", "KeyType"
        index = {
            "IndexName": "by_customer",
            "KeySchema": [{name: "customer", of: "HASH"}, {name: "created_at", of: "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        self.client("dynamodb").create_table(
            TableName="orders",
            KeySchema=[{name: "id", of: "HASH"}],
            AttributeDefinitions=[
                {name: it, "AttributeType": "S"} for it in ("id", "customer", "created_at")
            ],
            GlobalSecondaryIndexes=[index],
            BillingMode="PAY_PER_REQUEST",
        )
        self.known = {}
        for n, status in enumerate(("new", "paid", "shipped", "delivered", "cancelled") * 5):
            self._put(f"order-{n}", status, n)

    def _put(self, id: str, status: str, n: int) -> None:
        order = {"id": id, "customer": CUSTOMERS[n % 3], "status": status, "version": n % 4 + 1}
        at = f"2026-03-{n + 1:02}T08:00:00.000+00:00"
        item = {name: {"S": value} for name, value in order.items() if name != "version"}
        item |= {"version": {"N": str(order["version"])}, "total": {"N": f"{n}.5"}}
        item |= {"created_at": {"S": at}, "updated_at": {"S": at}}
        self.client("dynamodb").put_item(TableName="orders", Item=item)
        self.known[id] = order

    def learn(self, answer: Any) -> None:
        """Know the orders that were made and changed; forget what is gone."""
        if not isinstance(answer, dict):
            return
        if answer["statusCode"] == 204:
            del self.known[self.removed]
        elif answer["statusCode"] < 300:
            order = json.loads(answer["body"])
            if "version" in order:
                self.known[order["id"]] = order

    def _call(self, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        form = self._of_http_api if self.random.random() < 0.7 else self._of_rest_api
        return form(method, path, text, **more)

    def _of_http_api(
        self, method: str, path: str, body: Any, query: Any = None, user: Any = None
    ) -> dict[str, Any]:
        stage = self.random.choice(("$default", "$default", "v1"))
        raw = path if stage == "$default" else f"/{stage}{path}"
        claims = {"authorizer": {"jwt": {"claims": {"sub": user}, "scopes": None}}} if user else {}
        http = {"method": method, "path": raw, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7"}
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": raw,
            "rawQueryString": "&".join(f"{k}={v}" for k, v in (query or {}).items()),
            "headers": {"content-type": "application/json", "host": "api.example.com"},
            "requestContext": {"http": http, "stage": stage, **claims},
            "isBase64Encoded": False,
        }
        if query:
            event["queryStringParameters"] = query
        if body is None:
            return event
        if self.random.random() < 0.15:
            body, event["isBase64Encoded"] = base64.b64encode(body.encode()).decode(), True
        return {**event, "body": body}

    def _of_rest_api(
        self, method: str, path: str, body: Any, query: Any = None, user: Any = None
    ) -> dict[str, Any]:
        authorizer = {"claims": {"sub": user}} if user else None
        return {
            "resource": "/{proxy+}",
            "path": path,
            "httpMethod": method,
            "headers": {"Content-Type": "application/json"},
            "queryStringParameters": query,
            "requestContext": {"stage": "prod", "httpMethod": method, "authorizer": authorizer},
            "body": body,
            "isBase64Encoded": False,
        }

    def _lines(self, most: int = 4, quantity: int = 3) -> list[dict[str, Any]]:
        chosen = self.random.sample(sorted(GOODS), self.random.randint(1, most))
        return [
            {"sku": sku, "quantity": self.random.randint(1, quantity), "price": GOODS[sku]}
            for sku in chosen
        ]

    def _create(self, **fields: Any) -> dict[str, Any]:
        body = {"customer": self.random.choice(CUSTOMERS), "lines": self._lines(), **fields}
        return self._call("POST", "/orders", body)

    def _of_status(self, *statuses: str) -> dict[str, Any]:
        there = sorted(id for id, order in self.known.items() if order["status"] in statuses)
        return self.known[self.random.choice(there)]

    def _change(self, order: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return self._call("PUT", f"/orders/{order['id']}", {"version": order["version"], **fields})

    @kind(0.2)
    def get(self):
        return self._call("GET", f"/orders/{self.random.choice(sorted(self.known))}")

    @kind(0.14)
    def create(self):
        return self._create()

    @kind(0.08)
    def create_as_user(self):
        body = {"lines": self._lines(), "note": "ring twice"}
        return self._call("POST", "/orders", body, user=self.random.choice(CUSTOMERS))

    @kind(0.1)
    def list_first_page(self):
        query = {"customer": self.random.choice(CUSTOMERS), "limit": self.random.choice("235")}
        return self._call("GET", "/orders", query=query)

    @kind(0.05)
    def list_own(self):
        return self._call("GET", "/orders", user=self.random.choice(CUSTOMERS))

    @kind(0.03)
    def list_by_status(self):
        query = {"customer": "Ada", "status": self.random.choice(("new", "paid")), "limit": "20"}
        return self._call("GET", "/orders", query=query)

    @kind(0.03)
    def list_next_page(self):
        n = self.random.choice((9, 12, 15))
        key = {"id": f"order-{n}", "customer": "ada"}
        key["created_at"] = f"2026-03-{n + 1:02}T08:00:00.000+00:00"
        cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode()
        query = {"customer": "ada", "limit": "3", "cursor": cursor}
        return self._call("GET", "/orders", query=query)

    @kind(0.08)
    def pay(self):
        return self._change(self._of_status("new"), status="paid")

    @kind(0.03)
    def ship(self):
        return self._change(self._of_status("paid"), status="shipped")

    @kind(0.02)
    def change_lines(self):
        return self._change(self._of_status("new"), lines=self._lines(), coupon="TENOFF")

    @kind(0.03)
    def remove(self):
        self.removed = self._of_status("new", "cancelled")["id"]
        return self._call("DELETE", f"/orders/{self.removed}")

    @kind(0.03)
    def create_with_coupon(self):
        return self._create(coupon="TENOFF")

    @kind(0.03)
    def create_express(self):
        return self._create(express=True)

    @kind(0.02)
    def create_many_pieces(self):
        return self._create(lines=self._lines(3, 40))

    @kind(0.03)
    def get_nothing(self):
        return self._call("GET", f"/orders/{NOWHERE}")

    @kind(0.015)
    def create_without_lines(self):
        return self._create(lines=self.random.choice(([], None, "tea")))

    @kind(0.015)
    def change_stale(self):
        order = self._of_status("new")
        return self._change({**order, "version": order["version"] + 1}, status="cancelled")

    @kind(0.015)
    def skip_a_status(self):
        return self._change(self._of_status("new"), status="delivered")

    @kind(times=3)
    def no_json(self):
        return self._call("POST", "/orders", '{"lines": [')

    @kind(times=2)
    def no_object(self):
        return self._call("POST", "/orders", "[1, 2]")

    @kind(times=2)
    def create_half_of_many(self):
        lines = [{"sku": "tea", "quantity": 30, "price": 3.5}]
        return self._create(coupon="HALF", express=True, lines=lines)

    @kind(times=1)
    def create_exactly_free_shipping(self):
        return self._create(lines=[{"sku": "mug", "quantity": 2, "price": 25}])

    @kind(times=1)
    def create_twenty_pieces(self):
        return self._create(lines=[{"sku": "filter", "quantity": 20, "price": 0.07}])

    @kind(times=2)
    def unknown_coupon(self):
        return self._create(coupon="FREE")

    @kind(times=1)
    def too_many_lines(self):
        return self._create(lines=[{"sku": f"s{n}", "price": 1} for n in range(11)])

    @kind(times=3)
    def bad_quantity(self):
        quantity = self.random.choice((0, 100, -1, "2"))
        return self._create(lines=[{"sku": "tea", "quantity": quantity, "price": 1}])

    @kind(times=2)
    def bad_price(self):
        price = self.random.choice((-1, "dear", None))
        return self._create(lines=[{"sku": "tea", "price": price}])

    @kind(times=1)
    def line_without_sku(self):
        return self._create(lines=[{"sku": "tea", "price": 1}, {"price": 1}])

    @kind(times=1)
    def no_customer(self):
        return self._create(customer="  ")

    @kind(times=2)
    def taken_id(self):
        return self._create(id="order-2")

    @kind(times=2)
    def list_nobody(self):
        return self._call("GET", "/orders")

    @kind(times=2)
    def bad_limit(self):
        query = {"customer": "ada", "limit": self.random.choice(("0", "21", "many"))}
        return self._call("GET", "/orders", query=query)

    @kind(times=1)
    def bad_cursor(self):
        return self._call("GET", "/orders", query={"customer": "ada", "cursor": "bm90aGluZw=="})

    @kind(times=1)
    def change_without_version(self):
        return self._call("PUT", "/orders/order-0", {"status": "paid"})

    @kind(times=1)
    def change_nothing(self):
        return self._change(self._of_status("paid"))

    @kind(times=1)
    def change_to_nonsense(self):
        return self._change(self._of_status("paid"), status="lost")

    @kind(times=1)
    def change_lines_too_late(self):
        return self._change(self._of_status("paid"), lines=self._lines())

    @kind(times=2)
    def remove_too_late(self):
        return self._call("DELETE", f"/orders/{self._of_status('shipped', 'delivered')['id']}")

    @kind(times=2)
    def wrong_method(self):
        return self._call("PATCH", self.random.choice(("/orders", "/orders/order-1")), {})

    @kind(times=2)
    def wrong_path(self):
        return self._call("GET", self.random.choice(("/", "/baskets", "/orders/1/lines")))

    @kind(times=1)
    def other_event(self):
        return {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
