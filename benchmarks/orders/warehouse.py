"""Where an order is packed, and into what."""

from dataclasses import dataclass, field

PLACES = {"north": ("tea", "coffee"), "south": ("cake", "machine", "tea")}
NEAR = {"DE": ("north", "south"), "AT": ("south", "north"), "CH": ("south", "north")}
BOXES = (("S", 1_000), ("M", 5_000), ("L", 20_000))
WEIGHTS = {"tea": 120, "coffee": 550, "cake": 900, "machine": 9_000}


@dataclass
class Parcel:
    """What one place sends."""

    place: str
    items: list = field(default_factory=list)
    grams: int = 0
    box: str = "S"
    is_fragile: bool = False


def pack(order):
    """Return the parcels of an order."""
    places = NEAR.get(order.country)
    if places is None:
        places = ("north", "south")
    parcels = {}
    for line in order.lines:
        place = place_of(line, places)
        parcel = parcels.get(place)
        if parcel is None:
            parcel = Parcel(place)
            parcels[place] = parcel
        put(parcel, line)
    for parcel in parcels.values():
        close(parcel)
    result = list(parcels.values())
    if len(result) > 1:
        result.sort(key=lambda parcel: parcel.place)
    return result


def place_of(line, places):
    """Return the nearest place that has an article."""
    for place in places:
        if line.sku in PLACES[place]:
            return place
    raise LookupError(f"{line.sku} is nowhere")


def put(parcel, line):
    """Put a line into a parcel."""
    weight = WEIGHTS[line.sku]
    weight = weight * line.count
    parcel.grams += weight
    item = {"sku": line.sku, "count": line.count}
    if line.gift:
        item["wrapped"] = True
        parcel.grams += 30
    if line.sku == "cake":
        parcel.is_fragile = True
    parcel.items.append(item)


def close(parcel):
    """Choose the box."""
    grams = parcel.grams
    if parcel.is_fragile:
        grams = grams * 2
    for box, most in BOXES:
        if grams <= most:
            parcel.box = box
            break
    else:
        parcel.box = "XL"
    parcel.grams += 80


def summary_of(parcels):
    """Return what is told of the parcels."""
    told = []
    for parcel in parcels:
        entry = {"from": parcel.place}
        entry["box"] = parcel.box
        entry["grams"] = parcel.grams
        entry["items"] = len(parcel.items)
        if parcel.is_fragile:
            entry["fragile"] = True
        told.append(entry)
    return told
