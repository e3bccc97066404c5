"""Texts as forms and queries hold them: escaped, and as they were before. Standard library only."""

_MAX_LENGTH = 2**16
"""To take the escapes out of a form takes longer than all the rest."""


def may_be_escaped(text: str) -> bool:
    """Whether a text may be a form or a query with something escaped in it; of some length only."""
    is_form = "=" in text and len(text) <= _MAX_LENGTH
    return is_form and ("%" in text or "+" in text)


def unquoted(text: str) -> str:
    """Return a text of a form or a query as it was before it was escaped."""
    from urllib.parse import unquote_plus  # rarely needed

    return unquote_plus(text)


def quoted(text: str) -> str:
    """Return a text as a form or a query holds it."""
    from urllib.parse import quote_plus  # rarely needed

    return quote_plus(text)
