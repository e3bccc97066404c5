"""Who orders."""

from dataclasses import dataclass

from validation import ValidationError, text_of

LEVELS = ((100_000, "gold"), (20_000, "silver"), (0, "plain"))
DOMAINS = {"example.com": "own", "partner.example": "partner"}


@dataclass(frozen=True)
class Customer:
    """A customer as far as an order needs one."""

    name: str
    mail: str
    phone: str | None
    level: str
    kind: str
    language: str
    wants_news: bool


def customer_of(body, headers):
    """Return who orders."""
    given = body.get("customer")
    if given is None:
        raise ValidationError("customer is missing")
    if not isinstance(given, dict):
        raise ValidationError("a customer is an object")
    name = name_of(given)
    mail = mail_of(given)
    phone = phone_of(given)
    level = level_of(given.get("spent", 0))
    kind = kind_of(mail, given)
    language = language_of(headers, body)
    wants_news = False
    if given.get("news") == "yes":
        wants_news = True
    return Customer(
        name=name,
        mail=mail,
        phone=phone,
        level=level,
        kind=kind,
        language=language,
        wants_news=wants_news,
    )


def name_of(given):
    """Return a name in one piece."""
    first = text_of(given, "first_name", 60)
    last = text_of(given, "last_name", 60)
    title = given.get("title")
    name = f"{first} {last}"
    if title:
        name = f"{title} {name}"
    if name.isupper():
        name = name.title()
    return name


def mail_of(given):
    """Return an address that mail may reach."""
    mail = text_of(given, "mail", 120).lower()
    box, at, domain = mail.partition("@")
    if not at:
        raise ValidationError("a mail address has an @")
    if not box or box.startswith(".") or box.endswith("."):
        raise ValidationError("a mail address has a box")
    if "." not in domain:
        raise ValidationError("a mail address has a domain")
    return mail


def phone_of(given):
    """Return a number with its country, None without one."""
    phone = given.get("phone")
    if phone is None:
        return None
    digits = phone.replace(" ", "")
    digits = digits.replace("-", "")
    digits = digits.replace("/", "")
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if digits.startswith("0"):
        digits = "+49" + digits[1:]
    if not digits.startswith("+"):
        raise ValidationError("a phone number has a country")
    if not digits[1:].isdigit():
        raise ValidationError("a phone number has digits")
    return digits


def level_of(spent):
    """Return how good a customer is."""
    for least, level in LEVELS:
        if spent >= least:
            return level
    return "owing"


def kind_of(mail, given):
    """Return what kind of customer it is."""
    kind = DOMAINS.get(mail.rpartition("@")[2])
    if kind is not None:
        return kind
    if given.get("vat_id"):
        return "company"
    return "person"


def language_of(headers, body):
    """Return the language to answer in."""
    accepted = headers.get("accept-language", "")
    first = accepted.split(",")[0]
    language = first.split(";")[0].strip()
    language = language.split("-")[0]
    if language in ("de", "en"):
        return language
    if body["country"] in ("DE", "AT"):
        return "de"
    return "en"
