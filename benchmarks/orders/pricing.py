"""What an order costs."""

from dataclasses import dataclass, field

PRICES = {"tea": 350, "coffee": 420, "cake": 500, "machine": 24_900}
RATES = {"DE": 19, "AT": 20, "CH": 8}
REDUCED = {"DE": 7, "AT": 10, "CH": 3}
FOOD = {"tea", "coffee", "cake"}


@dataclass
class Total:
    """Cents before tax, tax, and what is to be said of it."""

    net: int = 0
    tax: int = 0
    notes: list = field(default_factory=list)


def total_of(order):
    """Return the total of an order."""
    total = Total()
    percent = discount_of(order.code)
    for line in order.lines:
        net = net_of(line)
        if percent:
            net -= net * percent // 100
        total.net += net
        total.tax += tax_of(order.country, line.sku, net)
        if line.gift:
            total.notes.append(f"{line.sku} is a gift")
    if percent:
        total.notes.append(f"{percent} % off")
    if total.net > 20_000:
        total.notes.append("large")
    return total


def net_of(line):
    """Return the price of a line, cheaper by the dozen."""
    price = PRICES[line.sku]
    if line.count >= 12:
        price = price * 90 // 100
    elif line.count >= 5:
        price = price * 95 // 100
    return price * line.count


def discount_of(code):
    """Return the percentage that a code takes off."""
    if code is None:
        return 0
    if not code.startswith("SAVE"):
        return 0
    try:
        percent = int(code.removeprefix("SAVE"))
    except ValueError:
        return 0
    return min(percent, 30)


def tax_of(country, sku, net):
    """Return the tax on an article in a country."""
    rates = REDUCED if sku in FOOD else RATES
    rate = rates.get(country)
    if rate is None:
        return 0
    tax, rest = divmod(net * rate, 100)
    if rest >= 50:
        tax += 1
    return tax
