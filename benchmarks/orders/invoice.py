"""The invoice of an order."""

from dataclasses import dataclass, field

NAMES = {
    "de": {"tea": "Tee", "coffee": "Kaffee", "cake": "Kuchen", "machine": "Maschine"},
    "en": {"tea": "Tea", "coffee": "Coffee", "cake": "Cake", "machine": "Machine"},
}
WORDS = {"de": ("Summe", "MwSt.", "Versand"), "en": ("Sum", "VAT", "Shipping")}
DAYS = {"gold": 30, "silver": 14}


@dataclass
class Invoice:
    """Lines of text and amounts."""

    number: str
    lines: list = field(default_factory=list)
    cents: int = 0
    due_days: int = 0
    reverse: bool = False


def invoice_of(order, customer, total, shipping):
    """Return the invoice."""
    number = number_of(order)
    invoice = Invoice(number)
    language = customer.language
    names = NAMES[language]
    sum_word, tax_word, shipping_word = WORDS[language]
    for position, line in enumerate(order.lines, start=1):
        name = names[line.sku]
        text = f"{position}. {line.count} x {name}"
        if line.gift:
            text += " *"
        invoice.lines.append(text)
    invoice.reverse = is_reverse(order, customer)
    net = money(total.net, language)
    invoice.lines.append(f"{sum_word} {net}")
    cents = total.net
    if not invoice.reverse:
        tax = money(total.tax, language)
        invoice.lines.append(f"{tax_word} {tax}")
        cents += total.tax
    if shipping:
        invoice.lines.append(f"{shipping_word} {money(shipping, language)}")
        cents += shipping
    invoice.cents = cents
    invoice.due_days = DAYS.get(customer.level, 0)
    return invoice


def number_of(order):
    """Return a number with a digit to check it by."""
    digits = [int(sign) for sign in order.id if sign.isdigit()]
    total = 0
    weight = 1
    for digit in digits:
        total += digit * weight
        weight = 3 if weight == 1 else 1
    check = (10 - total % 10) % 10
    return f"R-{order.id}-{check}"


def money(cents, language):
    """Return an amount as a language writes it."""
    sign = ""
    if cents < 0:
        sign = "-"
        cents = -cents
    whole, rest = divmod(cents, 100)
    if language == "de":
        text = f"{whole:,}".replace(",", ".")
        return f"{sign}{text},{rest:02} EUR"
    return f"{sign}EUR {whole:,}.{rest:02}"


def is_reverse(order, customer):
    """Whether the customer pays the tax."""
    if customer.kind != "company":
        return False
    if order.country == "DE":
        return False
    return order.country in ("AT", "FR")
