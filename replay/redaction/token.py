"""Credentials that services begin with a mark of their own, such as `ghp_` or `AKIA`.

Looked for among the long words of a text, by their beginnings. Standard library only.
"""

import re
from collections.abc import Callable

from replay.redaction.needle import StandIn
from replay.redaction.word import listed

_MARKS = {
    16: listed(
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glrt- glptt- sk_live_ sk_test_ rk_live_"
        " rk_test_ whsec_ sk- SG. ya29. GOCSPX- npm_ pypi- shpat_ shpca_ shppa_ shpss_ dop_v1_"
        " doo_v1_ dor_v1_ hvs. hvb. hf_ lin_api_ sq0atp- sq0csp- glsa_ glc_ NRAK- figd_ dckr_pat_"
        " sntrys_ sntryu_ gsk_ nvapi- xkeysib- AGE-SECRET-KEY- PMAK- rubygems_ pul- CFPAT- phc_"
        " phx_ ntn_ sbp_ pscale_tkn_ atlasv1. xai- pplx- r8_ dt0c01. ATATT ATCTT dp.pt. dp.st."
        " dp.ct. ATBB Atza| amzn1.oa2- tvly- re_live_ live_sk_ nfp_ sb_secret_ bkua_ CCIPAT_ pnu_"
        " FLWSECK fio-u- NRJS- EAAAE shpua_ access-production- access-sandbox- v2.local. v4.local."
        " 1//0 sk_prod_ sk.ey pat-na1- pat-eu1- tskey- AAAAKgAAAA AQC8AAAAKg"
    ),
    10: listed("xoxb- xoxa- xoxp- xoxr- xoxs- xoxe- xoxe. xoxd- xapp- xwfp-"),
    30: listed("AIza EAAC EAAB EAAG"),
}
"""Marks, by how many characters follow at least."""
_DISCORD = listed("MT MD Mj Mz ND NT Nj Nz OD OT")
"""Beginnings of numbers in base64, which the tokens of Discord's bots begin with."""
_EXACT = {
    **dict.fromkeys(("AKIA", "ASIA", "ABIA", "ACCA"), r"[A-Z0-9]{16}"),
    **dict.fromkeys(("SK", "key-", "dapi"), r"[0-9a-f]{32}"),
    **dict.fromkeys(("$2a$", "$2b$", "$2y$"), r"\d\d\$[./A-Za-z0-9]{53}"),
    "pat": r"[A-Za-z0-9]{14}\.[a-f0-9]{64}",
    "live_": r"\d{6,12}_[A-Za-z0-9]{20,40}",
    **dict.fromkeys(_DISCORD, r"[\w\-]{21,26}\.[\w\-]{6,7}\.[\w\-]{27,45}"),
    "AA": r"[A-Za-z0-9_\-]{33}",
}
"""Marks that are too short to be told without what follows."""
_LEAST = {mark: least for least, marks in _MARKS.items() for mark in marks}
_BY_BEGINNING: dict[str, tuple[str, ...]] = {}
for _mark in (*_LEAST, *_EXACT):
    _BY_BEGINNING[_mark[:2]] = (*_BY_BEGINNING.get(_mark[:2], ()), _mark)
_LONG_WORD = r"[A-Za-z0-9_\-.|$/+]{14,}"
MAX_PATH_LENGTH = 4096
"""A longer word is no path and no form: it is encoded, and of no parts."""
_APART = r"([/+])"
_AWS_SECRET_LENGTH = 40


def redact_marked(text: str, stand_in: StandIn, redact_jwt: Callable[[str], str]) -> str:
    """Return a text with the marked credentials in it replaced."""
    done, pieces = 0, []
    for match in re.finditer(_LONG_WORD, text):
        start, word = match.start(), match[0]
        is_known = word[:2] in _BY_BEGINNING or "/" in word or "+" in word or word[:3] == "eyJ"
        if not is_known and len(word) != _AWS_SECRET_LENGTH:
            continue
        before = text[max(0, start - 2) : start]
        replaced = _redacted(word, before, stand_in, redact_jwt)
        if replaced == word and len(word) <= MAX_PATH_LENGTH and re.search(_APART, word):
            first, *others = re.split(_APART, word)
            pieces_of = [_redacted(first, before, stand_in, redact_jwt)]
            pieces_of += [_redacted(it, "", stand_in, redact_jwt) for it in others]
            replaced = "".join(pieces_of)
        if replaced != word:
            pieces += [text[done:start], replaced]
            done = match.end()
    return "".join((*pieces, text[done:])) if pieces else text


def is_aws_secret(word: str) -> bool:
    """Whether a word looks like the secret key of an AWS account: 40 characters of base64."""
    if len(word) != _AWS_SECRET_LENGTH or not {"_", "-", ".", "|", "$"}.isdisjoint(word):
        return False
    has_all = word != word.lower() and word != word.upper()
    return has_all and any(it.isdigit() for it in word)


def mark_length(text: str) -> int:
    """Return how long the mark is that a credential begins with, 0 without one."""
    marks = _BY_BEGINNING.get(text[:2])
    return max((len(mark) for mark in marks if text.startswith(mark)), default=0) if marks else 0


def _redacted(word: str, before: str, stand_in: StandIn, redact_jwt: Callable[[str], str]) -> str:
    if word.startswith("eyJ"):
        return redact_jwt(word)
    if is_aws_secret(word):
        return stand_in(word)
    for mark in _BY_BEGINNING.get(word[:2], ()):
        body = word[len(mark) :].rstrip(".")
        if word.startswith(mark) and _is_credential(mark, body, before):
            return mark + stand_in(body) + word[len(mark) + len(body) :]
    return word


def _is_credential(mark: str, body: str, before: str) -> bool:
    if mark in _EXACT:
        is_named = mark != "AA" or (before[-1:] == ":" and before[-2:-1].isdigit())
        return is_named and re.fullmatch(_EXACT[mark], body) is not None
    is_word = body == body.lower() and not any(it.isdigit() for it in body)
    return len(body) >= _LEAST[mark] and not is_word
