"""Which action a request asks for."""


def action_of(method, path):
    """Return an action by method and path."""
    parts = [part for part in path.split("/") if part]
    if not parts or parts[0] != "orders":
        raise LookupError(f"no such path: {path}")
    if len(parts) == 1:
        if method == "POST":
            return "create"
        raise LookupError(f"no {method} of orders")
    if parts[1] == "quote":
        return "quote"
    if method == "GET":
        return f"get:{parts[1]}"
    raise LookupError(f"no {method} of an order")
