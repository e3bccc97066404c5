"""Responses as API Gateway takes them."""

import json

ORIGINS = ("https://shop.example.com", "https://test.example.com")


def accepted(result, headers):
    """Return a response with a result."""
    return response(201 if "id" in result else 200, result, headers)


def refused(status, why, headers):
    """Return a response with a reason."""
    return response(status, {"error": why}, headers)


def response(status, body, headers):
    """Return a response."""
    answered = {"content-type": "application/json", "cache-control": "no-store"}
    origin = headers.get("origin")
    if origin in ORIGINS:
        answered["access-control-allow-origin"] = origin
        answered["vary"] = "origin"
    request_id = headers.get("x-request-id")
    if request_id:
        answered["x-request-id"] = request_id
    return {
        "statusCode": status,
        "headers": answered,
        "body": json.dumps(body, separators=(",", ":")),
    }
