"""What it costs to send an order, and how long it takes."""

WEIGHTS = {"tea": 120, "coffee": 550, "cake": 900, "machine": 9_000}
ZONES = {"DE": 1, "AT": 2, "CH": 3, "US": 4}
ISLANDS = ("18565", "25846", "26465", "27498")


def cost_of(order, net):
    """Return cents."""
    zone = ZONES[order.country]
    weight = weight_of(order)
    if order.express:
        cost = 900 + 300 * zone
    elif net > 5_000 and zone == 1:
        return 0
    else:
        cost = 290 + 200 * zone
    while weight > 5_000:
        cost += 150 * zone
        weight -= 5_000
    if is_far(order):
        cost += 800
    return cost


def weight_of(order):
    """Return grams, with the box."""
    grams = 80
    for line in order.lines:
        grams += WEIGHTS[line.sku] * line.count
        if line.gift:
            grams += 30
    return grams


def is_far(order):
    """Whether a boat has to be taken."""
    if order.country != "DE":
        return False
    return any(order.zip == island for island in ISLANDS)


def days_of(order):
    """Return days."""
    days = 1 if order.express else 1 + ZONES[order.country]
    if is_far(order):
        days += 2
    return days
