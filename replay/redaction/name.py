"""Which names say that their value is a secret: of fields, headers, variables and parameters.

A name is split into words - case, separators, plurals and accents do not count - and judged by
them: `userPassword`, `X-Api-Key` and `client_secrets` are secret, `passwordPolicy`, `nextToken` and
`primaryKey` are not. Pure; standard library only.
"""

from collections.abc import Callable
from enum import IntEnum


def listed(words: str) -> tuple[str, ...]:
    """Return the words of a text."""
    return tuple(words.split())


class Secrecy(IntEnum):
    """What a name says of its value; a true one says that the value is secret.

    TOKEN: a text is secret, a number under such a name counts something. COOKIE: name-value pairs,
    of which some are secret. OPAQUE: a text is secret if it looks random. HARMLESS: says what a
    secret is about, such as its owner or its age.
    """

    ORDINARY = 0
    SECRET = 1
    TOKEN = 2
    COOKIE = 3
    OPAQUE = 4
    HARMLESS = -1


_OPEN_NAMES = ("PWD", "OLDPWD", "Signature")
"""Folders of a shell, and what SNS signs its messages with; in small letters they are secrets."""
_MAX_NAMES = 8192
_MAX_HEADER_LENGTH = 64
_STRONG = frozenset(
    listed(
        "password passwd passwort kennwort passphrase passcode pwd passwords contrasena senha"
        " motdepasse mdp wachtwoord haslo heslo salasana losenord adgangskode passord sifre parool"
        " parola clave secret secreto segredo segreto geheimnis credential credencial cvv cvv2 cvc"
        " cvc2 csc ssn otp totp jwt mnemonic csrf xsrf pepper puk rrn pswd psw pword passwrd cvn"
        " nric tfn cuit cuil jmbg cnp isikukood henkilotunnus kennitala fodselsnummer personnr"
        " steuernummer steuerid schluessel schlussel engangskode einmalcode iban samlresponse"
        " assertion apikey accesskey secretkey privatekey signingkey encryptionkey authkey"
        " sharedkey masterkey cpf dni pesel curp bsn nino hasło aadhaar aadhar personnummer itin"
        " psk pw codeverifier authcode wsse пароль секрет 密码 密碼 口令 パスワード 비밀번호"
    )
)
"""Words that make a name secret wherever they stand in it."""
_ENDS = (
    *("password", "passwd", "passphrase", "passwort", "passcode", "secret", "apikey", "secretkey"),
    *("accesskey", "privatekey", "signingkey", "credential", "authtoken", "accesstoken"),
    *("refreshtoken", "sessiontoken", "bearertoken", "idtoken", "securitytoken", "apitoken"),
    *("usertoken", "csrftoken", "authkey", "dbpass", "userpass", "cardnumber", "creditcard"),
)
"""Ends of words that were run together."""
_PHRASES = tuple(
    f"_{phrase}_"
    for phrase in (
        *("mot_de_passe", "kata_sandi", "mat_khau", "cle_api", "cle_secrete", "chave_api"),
        *("chave_secreta", "clave_secreta", "api_schluessel", "seed_phrase", "recovery_phrase"),
        *(
            "codigo_2fa",
            "codigo_verificacao",
            "codigo_verificacion",
            "codigo_de_acesso",
            "maiden_name",
        ),
        *("codigo_acesso", "codigo_seguridad", "codigo_seguranca", "resident_registration"),
        *("national_register", "national_number", "citizen_id", "id_card", "identity_card"),
        *("backup_phrase", "secret_phrase", "social_security", "social_insurance", "one_time_code"),
        *("challenge_answer", "secret_answer", "security_answer", "private_challenge"),
        *(
            "sse_customer_key",
            "identity_source",
            "key_material",
            "nhs_number",
            "medicare_number",
            "personal_code",
            "session_ticket",
            "auth_ticket",
            "login_ticket",
        ),
        *("card_number", "credit_card", "debit_card", "cc_number", "card_no", "card_num"),
        *("primary_account_number", "national_id", "national_insurance", "national_identity"),
        *("tax_id", "tax_number", "passport_number", "passport_no", "driver_license"),
        *("drivers_license", "driving_licence", "identity_number", "codice_fiscale", "steuer_id"),
        *("code_verifier", "client_assertion", "saml_response", "x_amz_signature"),
        *("x_amz_security", "x_goog_signature", "authorization_code"),
    )
)
_CODES = frozenset(
    listed(
        "auth verification verify security confirmation confirm reset access backup recovery mfa"
        " 2fa sms login activation device passcode tan scratch door gate alarm unlock safe otp pin"
    )
)
"""Words before `code` that make it secret."""
_KEYS = frozenset(
    listed(
        "api access secret private signing sign signature encryption encrypt decryption decrypt"
        " master shared auth authentication authorization license licence ssh app application"
        " consumer account storage functions subscription admin service webhook hmac crypto cipher"
        " aes rsa client integration write server deploy session security recovery rest user"
        " publish ingest cert certificate tls ssl pem pass door enrolment enrollment join"
        " registration activation product unlock wifi wlan network serial wpa wep backup push vapid"
        " fcm ingestion project account data dek kek stripe sendgrid twilio openai anthropic github"
        " gitlab google maps mailgun datadog dd newrelic segment algolia firebase sentry slack"
        " pusher mapbox cloudflare braintree paypal adyen shopify postmark mailchimp amplitude"
        " mixpanel launchdarkly rollbar bugsnag pagerduty grafana honeycomb azure"
    )
)
"""Words before `key` that make it secret."""
_OPEN_TOKENS = frozenset(
    listed(
        "next page pagination paging continuation continue start starting ending previous prev"
        " client request idempotency idempotent max maximum min minimum total prompt completion"
        " input output cached reasoning num number n used remaining left stop special eos bos pad"
        " unk sync delta resume resumption scroll cursor task lock fencing concurrency change"
        " version invocation query word sub per avg average new context response generated reply"
        " position iterator shard estimated count"
    )
)
"""Words before `token` that make it a place in a list, a count, or a mark against repetition."""
_HARMLESS_ENDS = frozenset(
    listed(
        "id arn name count type kind expire expiry expiration expired in at on date time timestamp"
        " length size limit min max required enabled disabled valid invalid verified policy version"
        " status state provider uri url endpoint ttl age strength hint label field column"
        " description attempt failure changed updated created rotated rotation reset scope issuer"
        " algorithm alg format prefix header path parameter param manager store mode rule setting"
        " config option validity duration last4 brand network present set use used usage owner"
        " title method source location region index error message reason code spec schema class"
        " strategy day hour minute second alias serializer deserializer encoder ms"
    )
)
"""Last words of names that tell about a secret, and not the secret."""
_INSIDE_HARMLESS = frozenset(
    listed(
        "user username login email host hostname port database dbname db engine schema dbinstance"
        " instance cluster region type kind scheme provider realm scope alg algorithm issued issuer"
        " iss aud audience enabled active principal tenant role account grant"
    )
)
"""Whole names that stand beside a secret, in an object which is called one."""
_EXACT = {
    **dict.fromkeys(("token", "auth", "authorization"), Secrecy.TOKEN),
    **dict.fromkeys(("x_auth", "bearer", "jeton", "токен"), Secrecy.TOKEN),
    **dict.fromkeys(
        ("plaintext", "pin", "pan", "sig", "tan", "pass", "sin", "tin", "nin", "nie"),
        Secrecy.SECRET,
    ),
    **dict.fromkeys(
        (
            "session",
            "sess",
            "sid",
            "authentication",
            "appid",
            "signature",
            "sessionid",
            "phpsessid",
            "jsessionid",
            "code",
        ),
        Secrecy.OPAQUE,
    ),
    **dict.fromkeys(("cookie", "set_cookie", "cookie2"), Secrecy.COOKIE),
}
_AFTER_TOKEN = frozenset(listed("acceso acesso consulta sesion sessao usuario seguridad seguranca"))
"""Words after `token` where that comes first: in Spanish and Portuguese."""
_VISITORS = ("_ga", "_gid", "_gcl", "__utm", "_fbp", "__stripe_mid", "_hj", "ajs_")
"""Beginnings of cookies that count visitors."""
_COOKIES = frozenset(
    listed(
        "sid session sess sessid sessionid phpsessid jsessionid aspsessionid asp auth remember"
        " login sso csrf xsrf access refresh identity user jwt token ticket"
    )
)
"""Words of a cookie's name that make it secret."""


def secrecy_of(name: str) -> Secrecy:
    """Return what a name says of its value."""
    words = words_of(name[-128:])
    if not words or name in _OPEN_NAMES:
        return Secrecy.ORDINARY
    folded = "_".join(words)
    exact = _EXACT.get(folded)
    if exact is not None:
        return exact
    if _is_phrase(folded):
        return Secrecy.SECRET
    last = words[-1]
    if last == "code" and len(words) > 1 and words[-2] in _CODES:
        return Secrecy.SECRET
    if last in _HARMLESS_ENDS or folded in _INSIDE_HARMLESS:
        return Secrecy.HARMLESS
    if not _STRONG.isdisjoint(words) or any(word.endswith(_ENDS) for word in words):
        return Secrecy.SECRET
    return _by_last_word(words, last)


class Secrecies(dict[str, Secrecy]):
    """What names say, each worked out once: programs use the same few over and over."""

    def __init__(self, judge: Callable[[str], Secrecy]) -> None:
        super().__init__()
        self._judge = judge

    def __missing__(self, name: str) -> Secrecy:
        if len(self) >= _MAX_NAMES:  # a program whose names are its data
            self.clear()
        secrecy = self[name] = self._judge(name)
        return secrecy


def is_visitor_cookie(name: str) -> bool:
    """Whether a cookie of this name counts visitors, and lets nobody in."""
    return name.startswith(_VISITORS)


def is_secret_cookie(name: str) -> bool:
    """Whether a cookie of this name lets its bearer in."""
    words = words_of(name)
    return secrecy_of(name) > 0 or not _COOKIES.isdisjoint(words) or "sess" in name.lower()


def is_header_name(value: object) -> bool:
    """Whether a value may be the name in a pair of a header's name and value."""
    if not isinstance(value, str) or len(value) > _MAX_HEADER_LENGTH:
        return False
    return value.replace("-", "").replace("_", "").isalnum()


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, lower case, singular, without accents."""
    if not name.isascii():
        name = _without_accents(name)
    found: list[str] = []
    word, before = "", ""
    for index, character in enumerate(name):
        if not character.isalnum():
            found.append(word)
            word = ""
        elif character.isupper() and _begins_word(name, index, before):
            found.append(word)
            word = character
        else:
            word += character
        before = character
    found.append(word)
    return tuple(_stem(word.lower()) for word in found if word)


def _begins_word(name: str, index: int, before: str) -> bool:
    follows = name[index + 1 : index + 2]
    return before.islower() or before.isdigit() or (before.isupper() and follows.islower())


def _stem(word: str) -> str:
    """Return a word in the singular, without a number at its end."""
    word = word.rstrip("0123456789") or word
    is_plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if is_plural else word


def _without_accents(name: str) -> str:
    from unicodedata import combining, normalize  # rarely needed

    return "".join(it for it in normalize("NFKD", name) if not combining(it))


def _is_phrase(folded: str) -> bool:
    padded = f"_{folded}_"
    is_about = folded.endswith(("_last4", "_type", "_status", "_count", "_name", "_brand"))
    return not is_about and any(phrase in padded for phrase in _PHRASES)


def _by_last_word(words: tuple[str, ...], last: str) -> Secrecy:
    before = words[-2] if len(words) > 1 else ""
    if last in ("value", "string", "raw", "plain", "plaintext", "hash") and before in (
        "token",
        "key",
    ):
        words, last = words[:-1], before
        before = words[-2] if len(words) > 1 else ""
    match last:
        case "token":
            return Secrecy.ORDINARY if before in _OPEN_TOKENS else Secrecy.TOKEN
        case "key" if before in _KEYS:
            return Secrecy.SECRET
        case "pin" | "pass" | "jeton" | "authorization":
            return Secrecy.SECRET
        case "auth":
            return Secrecy.TOKEN
        case _ if words[0] == "token" and last in _AFTER_TOKEN:
            return Secrecy.TOKEN
        case "session" | "sess" | "sid":
            return Secrecy.OPAQUE
    return Secrecy.ORDINARY
