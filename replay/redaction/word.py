"""The words that names are made of, and which of them tell of a secret.

They are compared as they are in a name: small, singular, without accents and without a number at
their end. Pure; standard library only.
"""


def listed(words: str) -> tuple[str, ...]:
    """Return the words of a text."""
    return tuple(words.split())


def stems(words: str) -> frozenset[str]:
    """Return the words of a text as they are compared."""
    return frozenset(map(stem, words.split()))


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
    return tuple(stem(word.lower()) for word in found if word)


def _begins_word(name: str, index: int, before: str) -> bool:
    follows = name[index + 1 : index + 2]
    return before.islower() or before.isdigit() or (before.isupper() and follows.islower())


def stem(word: str) -> str:
    """Return a word in the singular, without a number at its end."""
    word = word.rstrip("0123456789") or word
    is_plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if is_plural else word


_VOICED = "\u3099\u309a"
"""Marks that make another letter of one in Japanese."""


def _without_accents(name: str) -> str:
    from unicodedata import combining, normalize  # rarely needed

    letters = (it for it in normalize("NFKD", name) if not combining(it) or it in _VOICED)
    return normalize("NFKC", "".join(letters))


STRONG = stems(
    "password passwd passwort kennwort passphrase passcode pwd contrasena senha"
    " motdepasse mdp wachtwoord haslo heslo salasana losenord adgangskode passord sifre parool"
    " parola clave secret secreto segredo segreto geheimnis credential credencial cvv cvc"
    " csc ssn otp totp jwt mnemonic csrf xsrf pepper puk rrn pswd psw pword passwrd cvn"
    " nric tfn cuit cuil jmbg cnp isikukood henkilotunnus kennitala fodselsnummer personnr"
    " steuernummer steuerid schluessel schlussel engangskode einmalcode iban samlresponse"
    " assertion apikey accesskey secretkey privatekey signingkey encryptionkey authkey"
    " sharedkey masterkey cpf dni pesel curp bsn nino hasło aadhaar aadhar personnummer itin"
    " psk pw codeverifier authcode wsse cred jelszo"
    " пароль секрет 密码 密碼 口令 パスワード 비밀번호 المرور"
)
"""Words that make a name secret wherever they stand in it."""
ENDS = (
    *("password", "passwd", "passphrase", "passwort", "passcode", "secret", "apikey", "secretkey"),
    *("accesskey", "privatekey", "signingkey", "credential", "authtoken", "accesstoken"),
    *("refreshtoken", "sessiontoken", "bearertoken", "idtoken", "securitytoken", "apitoken"),
    *("usertoken", "csrftoken", "authkey", "dbpass", "userpass", "cardnumber", "creditcard"),
)
"""Ends of words that were run together."""
PHRASES = tuple(
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
        *(
            "card_number",
            "card_code",
            "credit_card",
            "debit_card",
            "cc_number",
            "card_no",
            "card_num",
        ),
        *("primary_account_number", "national_id", "national_insurance", "national_identity"),
        *("tax_id", "tax_number", "passport_number", "passport_no", "driver_license"),
        *("drivers_license", "driving_licence", "identity_number", "codice_fiscale", "steuer_id"),
        *("code_verifier", "client_assertion", "saml_response", "x_amz_signature"),
        *("x_amz_security", "x_goog_signature", "authorization_code", "origin_verify"),
    )
)
CODES = stems(
    "auth verification verify security confirmation confirm reset access backup recovery mfa"
    " 2fa sms login activation device passcode tan scratch door gate alarm unlock safe otp pin"
)
"""Words before `code` that make it secret."""
KEYS = stems(
    "api access secret private signing sign signature encryption encrypt decryption decrypt"
    " master shared auth authentication authorization license licence ssh app application"
    " consumer account storage functions subscription admin service webhook hmac crypto cipher"
    " aes rsa client integration write server deploy session security recovery rest user"
    " publish ingest cert certificate tls ssl pem pass door enrolment enrollment join"
    " registration activation product unlock wifi wlan network serial wpa wep backup push vapid"
    " fcm ingestion project data dek kek stripe sendgrid twilio openai anthropic github"
    " gitlab google maps mailgun datadog dd newrelic segment algolia firebase sentry slack"
    " pusher mapbox cloudflare braintree paypal adyen shopify postmark mailchimp amplitude"
    " mixpanel launchdarkly rollbar bugsnag pagerduty grafana honeycomb azure"
)
"""Words before `key` that make it secret."""
OPEN_TOKENS = stems(
    "next page pagination paging continuation continue start starting ending previous prev"
    " client request idempotency idempotent max maximum min minimum total prompt completion"
    " input output cached reasoning num number n used remaining left stop special eos bos pad"
    " unk sync delta resume resumption scroll cursor task lock fencing concurrency change"
    " version invocation query word sub per avg average new context response generated reply"
    " position iterator shard estimated count"
)
"""Words before `token` that make it a place in a list, a count, or a mark against repetition."""
HARMLESS_ENDS = stems(
    "id arn name count type kind expire expiry expiration expired in at on date time timestamp"
    " length size limit min max required enabled disabled valid invalid verified policy version"
    " status state provider uri url endpoint ttl age strength hint label field column"
    " description attempt failure changed updated created rotated rotation reset scope issuer"
    " algorithm alg format prefix header path parameter param manager store mode rule setting"
    " config option validity duration last brand network present set use used usage owner"
    " title method source location region index error message reason code spec schema class"
    " strategy day hour minute second alias serializer deserializer encoder ms"
)
"""Last words of names that tell about a secret, and not the secret."""
INSIDE_HARMLESS = stems(
    "user username login email host hostname port database dbname db engine schema dbinstance"
    " instance cluster region type kind scheme provider realm scope alg algorithm issued issuer"
    " iss aud audience enabled active principal tenant role account grant"
)
"""Whole names that stand beside a secret, in an object which is called one."""
AFTER_TOKEN = stems("acceso acesso consulta sesion sessao usuario seguridad seguranca")
"""Words after `token` where that comes first: in Spanish and Portuguese."""
RESOURCES = stems("account message call sms service conversation conference recording verification")
"""Words before `sid` that make it the id of something, as Twilio's are."""
VISITORS = ("_ga", "_gid", "_gcl", "__utm", "_fbp", "__stripe_mid", "_hj", "ajs_")
"""Beginnings of cookies that count visitors."""
COOKIES = stems(
    "sid session sess sessid sessionid phpsessid jsessionid aspsessionid asp auth remember"
    " login sso csrf xsrf access refresh identity user jwt token ticket"
)
"""Words of a cookie's name that make it secret."""
