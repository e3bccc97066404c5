"""What is written down of an order, for those who ask later, and what looks odd of it."""

SECRET = ("phone", "mail")
RISKS = (("new", 10), ("far", 15), ("large", 30), ("locker", 20), ("many", 10))


def entry_of(order, customer, address, invoice, parcels):
    """Return the entry."""
    signs = signs_of(order, customer, address, invoice)
    risk = risk_of(signs)
    entry = {}
    entry["order"] = order.id
    entry["invoice"] = invoice.number
    entry["cents"] = invoice.cents
    entry["customer"] = masked(customer)
    entry["parcels"] = len(parcels)
    entry["signs"] = signs
    entry["risk"] = risk
    if risk >= 50:
        entry["action"] = "ask"
    elif risk >= 30:
        entry["action"] = "look"
    else:
        entry["action"] = "none"
    return entry


def signs_of(order, customer, address, invoice):
    """Return what is out of the ordinary."""
    signs = []
    if customer.level == "plain":
        signs.append("new")
    if order.country not in ("DE", "AT", "CH"):
        signs.append("far")
    if invoice.cents > 20_000:
        signs.append("large")
    if address.is_locker:
        signs.append("locker")
    count = 0
    for line in order.lines:
        count += line.count
    if count > 20:
        signs.append("many")
    return signs


def risk_of(signs):
    """Return a number from 0 to 100."""
    risk = 0
    for sign, weight in RISKS:
        if sign in signs:
            risk += weight
    return min(risk, 100)


def masked(customer):
    """Return a customer without what is nobody's business."""
    shown = {}
    shown["name"] = customer.name
    for name in SECRET:
        value = getattr(customer, name)
        if value is None:
            continue
        if len(value) > 4:
            value = value[:2] + "..." + value[-2:]
        shown[name] = value
    shown["level"] = customer.level
    shown["kind"] = customer.kind
    return shown
