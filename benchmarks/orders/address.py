"""Where an order goes."""

from dataclasses import dataclass

from validation import ValidationError, text_of

SHORT = (("str.", "strasse"), ("Str.", "Strasse"), ("pl.", "platz"), ("Pl.", "Platz"))
STATES = {"1": "Berlin", "2": "Hamburg", "8": "Bayern"}


@dataclass(frozen=True)
class Address:
    """A place that a parcel may be brought to."""

    street: str
    number: str
    city: str
    zip: str
    country: str
    state: str | None
    is_locker: bool


def address_of(body, order):
    """Return where it goes."""
    given = body["address"]
    street, number = street_of(given)
    city = city_of(given)
    state = state_of(order)
    is_locker = False
    lowered = street.lower()
    if lowered.startswith("packstation"):
        is_locker = True
        if order.country != "DE":
            raise ValidationError("lockers are in Germany")
    return Address(
        street=street,
        number=number,
        city=city,
        zip=order.zip,
        country=order.country,
        state=state,
        is_locker=is_locker,
    )


def street_of(given):
    """Return street and number."""
    text = text_of(given, "street", 80)
    for short, long in SHORT:
        if short in text:
            text = text.replace(short, long)
    words = text.split()
    number = words[-1]
    if len(words) < 2:
        raise ValidationError("a street has a number")
    if not number[0].isdigit():
        if given.get("number"):
            number = str(given["number"])
        else:
            raise ValidationError("a street has a number")
    else:
        words = words[:-1]
    street = " ".join(words)
    return street, number


def city_of(given):
    """Return the city."""
    city = text_of(given, "city", 60)
    if city.isupper():
        city = city.title()
    city, _, part = city.partition("/")
    city = city.strip()
    if part:
        city = f"{city} ({part.strip()})"
    return city


def state_of(order):
    """Return the state, where taxes or holidays depend on it."""
    if order.country == "DE":
        return STATES.get(order.zip[0])
    if order.country == "US":
        return "NY"
    return None
