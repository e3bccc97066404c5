"""What there is."""

STOCK = {"tea": 90, "coffee": 40, "cake": 20, "machine": 1}


def reserve(order):
    """Refuse what is not there."""
    wanted = {}
    for line in order.lines:
        if line.sku not in STOCK:
            raise LookupError(f"no such article: {line.sku}")
        wanted[line.sku] = wanted.get(line.sku, 0) + line.count
    short = [sku for sku, count in wanted.items() if count > STOCK[sku]]
    if short:
        raise LookupError(f"sold out: {', '.join(short)}")
