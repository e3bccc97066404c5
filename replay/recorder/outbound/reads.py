"""Placeholder until merged."""


def is_read(service, operation, http_method, traits):
    return bool(traits.get("readonly")) or operation.startswith(
        ("Get", "List", "Describe", "Query", "Scan", "Head", "BatchGet")
    )
