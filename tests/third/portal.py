"""Portal Serra Clara: a Brazilian state's portal for citizens; benefits, licences, taxes."""

from __future__ import annotations

from typing import List

from .forge import (
    BASE32,
    LOWER,
    UPPER,
    b64,
    digits,
    dumps,
    form,
    hexed,
    jwt,
    noise,
    pan,
    pem,
    spaced,
    uuid,
    zipped,
)
from .sheet import Planted, Sheet, boto, fault, http


def build() -> list[Planted]:
    return [login(), benefit(), roll(), certificate()]


def login() -> Planted:
    """A citizen signs in with a form."""
    s = Sheet("portal-login", "ALB")
    body = form(
        {
            "cpf": s.name("381.604.927-70", "form body", "cpf", "national id"),
            "senha": s.name("Jabuticaba2019", "form body", "senha", "password"),
            "csrf_token": s.name(hexed("portal/csrf", 32), "form body", "csrf_token", "csrf token"),
            "codigo_2fa": s.name("918 264", "form body", "codigo_2fa", "otp"),
            "municipio": s.keep("São Bento da Serra", "form body", "municipio"),
            "lembrar": s.keep("nao-lembrar", "form body", "lembrar"),
            "RelayState": s.alike("ss:mem:" + hexed("portal/relay", 64), "form body", "RelayState"),
        }
    )
    event = {
        "requestContext": {
            "elb": {
                "targetGroupArn": s.keep(
                    "arn:aws:elasticloadbalancing:sa-east-1:740118823309:targetgroup/entrar/5c1a9f0b7d2e4a68",
                    "event field",
                    "targetGroupArn",
                )
            }
        },
        "httpMethod": "POST",
        "path": s.keep("/entrar/govbr/retorno", "path", "path"),
        "multiValueQueryStringParameters": {
            "servico": [s.keep("segunda-via-cnh", "query", "servico")],
            "code": [s.both(noise("portal/code", 36), "query", "code", "authorization code")],
        },
        "multiValueHeaders": {
            "cookie": [
                "contraste=alto; PHPSESSID="
                + s.name(
                    noise("portal/php", 26, LOWER),
                    "multi-value header",
                    "cookie PHPSESSID",
                    "session cookie",
                )
            ],
            "authorization": [
                "Basic "
                + b64(
                    "homologacao:"
                    + s.both(
                        "Serra#Clara#2025",
                        "multi-value header",
                        "authorization",
                        "basic credentials",
                    )
                )
            ],
            "content-type": ["application/x-www-form-urlencoded"],
            "accept-language": [s.keep("pt-BR,pt;q=0.9", "multi-value header", "accept-language")],
            "x-amzn-oidc-data": [
                s.shape(
                    jwt("portal/oidc", {"sub": "c-1187", "email_verified": True}, "ES256"),
                    "multi-value header",
                    "x-amzn-oidc-data",
                    "JWT",
                )
            ],
            "x-amzn-oidc-accesstoken": [
                s.both(
                    jwt("portal/oidcat", {"sub": "c-1187", "scope": "openid"}, "RS256"),
                    "multi-value header",
                    "x-amzn-oidc-accesstoken",
                    "JWT",
                )
            ],
            "x-forwarded-port": ["443"],
        },
        "body": body,
        "isBase64Encoded": False,
    }
    answer = {
        "statusCode": 302,
        "multiValueHeaders": {
            "Set-Cookie": [
                "PORTALAUTH="
                + s.both(
                    jwt("portal/auth", {"cid": 1187, "nivel": "prata"}),
                    "result",
                    "Set-Cookie PORTALAUTH",
                    "JWT",
                )
                + "; Secure"
            ],
            "Location": [s.keep("/cidadao/inicio?aba=servicos", "result", "Location")],
        },
    }
    ldap = http(
        "POST",
        "https://diretorio.serraclara.example/bind",
        [
            ("X-Tenant", s.keep("fazenda-estadual", "outbound header", "X-Tenant")),
            (
                "Authorization",
                "Token "
                + s.name(
                    hexed("portal/drf", 40), "outbound header", "Authorization", "access token"
                ),
            ),
        ],
        "<bind><dn>"
        + s.keep("cn=portal,ou=servicos,o=serraclara", "outbound body", "dn")
        + "</dn><password>"
        + s.name("araucaria", "outbound body", "password", "password")
        + "</password></bind>",
        200,
        [("X-Bind-Result", s.keep("success/0", "answer header", "X-Bind-Result"))],
        "<ok/>",
    )
    return s.done(
        event,
        requests=[ldap],
        returned=answer,
        environment={
            "SESSION_SECRET": s.name(
                "cachoeira do bugio", "environment", "SESSION_SECRET", "encryption key"
            ),
            "PASSWORD_MIN_LENGTH": s.alike("length:10", "environment", "PASSWORD_MIN_LENGTH"),
            "SECRET_ROTATION_DAYS": s.alike("90 days", "environment", "SECRET_ROTATION_DAYS"),
            "SENTRY_ENVIRONMENT": s.keep("producao-sp", "environment", "SENTRY_ENVIRONMENT"),
        },
    )


def benefit() -> Planted:
    """One step of the machine which examines a benefit."""
    s = Sheet("portal-benefit-step", "Step Functions")
    event = {
        "Execution": s.keep(
            "arn:aws:states:sa-east-1:740118823309:execution:auxilio:ped-20251101-0042",
            "event field",
            "Execution",
        ),
        "TaskToken": s.name(
            "AAAAKgAAAAIAAAAA" + noise("portal/task", 140),
            "event field",
            "TaskToken",
            "access token",
        ),
        "pedido": {
            "protocolo": s.alike(
                "2025" + digits("portal/proto", 12), "event field", "pedido.protocolo"
            ),
            "programa": s.keep("Auxílio Gás", "event field", "pedido.programa"),
            "cpf": s.name("07214458961", "event field", "pedido.cpf", "national id"),
            "nis": s.name("162.48830.71-4", "event field", "pedido.nis", "national id"),
            "situacao": s.keep("EM_ANALISE", "event field", "pedido.situacao"),
            "valor": s.keep(108.5, "event field", "pedido.valor"),
            "observacao": "pagar no cartao "
            + s.shape(
                spaced(pan("portal/elo", "5067"), "-"),
                "event field",
                "pedido.observacao",
                "card number",
            )
            + " da titular",
        },
        "anexos": [
            {
                "tipo": s.keep("comprovante_renda", "event field", "anexos.tipo"),
                "sha256": s.alike(hexed("portal/sha", 64), "event field", "anexos.sha256"),
                "link": "https://anexos-sc.s3.sa-east-1.amazonaws.com/2025/0042.pdf?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA"
                + noise("portal/akid", 16, BASE32)
                + "%2F20251101%2Fsa-east-1%2Fs3%2Faws4_request&X-Amz-Date=20251101T101500Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature="
                + s.shape(hexed("portal/sig", 64), "event field", "anexos.link", "signed url"),
            }
        ],
        "consulta": {
            "url": s.keep("https://dataprev.example/consulta", "event field", "consulta.url"),
            "usuario": "https://sc:"
            + s.shape("Quati!Azul7", "event field", "consulta.usuario", "basic credentials")
            + "@serpro.example/v2",
            "extra": s.shape(
                jwt("portal/serpro", {"org": "SC-SEFAZ", "perfil": 4}, "RS256"),
                "event field",
                "consulta.extra",
                "JWT",
            ),
        },
    }
    check = http(
        "GET",
        "https://dataprev.example/consulta?nis=1&api_key="
        + s.name(hexed("portal/dataprev", 32), "outbound url", "api_key", "api key")
        + "&formato="
        + s.keep("json-resumido", "outbound url", "formato"),
        [
            (
                "Authorization",
                "Bearer "
                + s.both(
                    jwt("portal/dpjwt", {"client": "serraclara"}),
                    "outbound header",
                    "Authorization",
                    "JWT",
                ),
            )
        ],
        "",
        200,
        [("X-Cota-Restante", s.keep("4981/5000", "answer header", "X-Cota-Restante"))],
        dumps(
            {
                "renda": s.keep("1412.00", "answer body", "renda"),
                "tokenConsulta": s.name(
                    noise("portal/tc", 18, UPPER), "answer body", "tokenConsulta", "access token"
                ),
                "hashConsulta": s.alike(hexed("portal/hc", 32), "answer body", "hashConsulta"),
            }
        ),
    )
    calls = [
        boto(
            "stepfunctions",
            "SendTaskHeartbeat",
            {
                "taskToken": s.name(
                    "AQC8AAAAKgAA" + noise("portal/beat", 110),
                    "AWS parameter",
                    "taskToken",
                    "access token",
                )
            },
            {},
        ),
        boto(
            "rds-data",
            "ExecuteStatement",
            {
                "secretArn": s.alike(
                    "arn:aws:secretsmanager:sa-east-1:740118823309:secret:auxilio-db-x1KqTz",
                    "AWS parameter",
                    "secretArn",
                ),
                "sql": "ALTER USER relatorio IDENTIFIED BY '"
                + s.name("capivara-lenta", "AWS parameter", "sql IDENTIFIED BY", "password")
                + "'",
                "database": s.keep("auxilio_gas", "AWS parameter", "database"),
            },
            {"numberOfRecordsUpdated": 0},
        ),
    ]
    return s.done(
        event,
        requests=[check],
        aws=calls,
        returned={
            "decisao": s.keep("DEFERIDO", "result", "decisao"),
            "proximaEtapa": s.keep("agendar_pagamento", "result", "proximaEtapa"),
        },
    )


def roll() -> Planted:
    """A nightly export was put in a bucket; it is read and loaded."""
    s = Sheet("portal-export-load", "S3")
    key, line = pem("portal/ssh", "OPENSSH PRIVATE KEY", 7)
    s.shape(line, "gzip", "notes.txt", "private key")
    csv = (
        "matricula;senha_provisoria;lotacao\n40021;"
        + s.name("Mudar!Agora", "gzip", "senha_provisoria", "password")
        + ";"
        + s.keep("Escola Ipê Roxo", "gzip", "lotacao")
        + "\n"
    )
    event = {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "sa-east-1",
                "eventTime": "2025-11-01T03:00:12.000Z",
                "eventName": s.keep(
                    "ObjectCreated:CompleteMultipartUpload", "event field", "eventName"
                ),
                "userIdentity": {
                    "principalId": s.alike(
                        "AWS:AIDA" + noise("portal/aida", 17, BASE32), "event field", "principalId"
                    )
                },
                "responseElements": {
                    "x-amz-request-id": noise("portal/xrq", 16, UPPER),
                    "x-amz-id-2": s.alike(
                        noise("portal/id2", 74) + "=", "event field", "x-amz-id-2"
                    ),
                },
                "s3": {
                    "configurationId": "carga-noturna",
                    "bucket": {"name": s.keep("sc-exportacoes", "event field", "bucket.name")},
                    "object": {
                        "key": s.keep(
                            "folha/2025-10/servidores.csv.gz", "event field", "object.key"
                        ),
                        "size": 88120,
                        "eTag": s.alike(
                            hexed("portal/etag", 32) + "-3", "event field", "object.eTag"
                        ),
                        "sequencer": "0069" + hexed("portal/seq", 14).upper(),
                    },
                },
            }
        ]
    }
    calls = [
        boto(
            "s3",
            "GetObject",
            {
                "Bucket": "sc-exportacoes",
                "Key": "folha/2025-10/servidores.csv.gz",
                "SSECustomerAlgorithm": "AES256",
                "SSECustomerKey": s.both(
                    noise("portal/sse", 43, LOWER + UPPER) + "=",
                    "AWS parameter",
                    "SSECustomerKey",
                    "encryption key",
                ),
                "SSECustomerKeyMD5": noise("portal/ssemd5", 22) + "==",
            },
            {
                "Body": b64(zipped(csv)),
                "ContentType": s.keep("text/csv; header=present", "AWS answer", "ContentType"),
                "Metadata": {"origem": s.keep("folha-legado", "AWS answer", "Metadata.origem")},
            },
        ),
        boto(
            "s3",
            "GetObject",
            {
                "Bucket": "sc-exportacoes",
                "Key": s.keep("folha/notes.txt.gz", "AWS parameter", "Key"),
            },
            {"Body": b64(zipped("chave do sftp antigo:\n" + key))},
        ),
        boto(
            "lambda",
            "GetFunctionConfiguration",
            {"FunctionName": s.keep("carga-ftp-antiga", "AWS parameter", "FunctionName")},
            {
                "Environment": {
                    "Variables": {
                        "FTP_PASS": s.name(
                            "girassol", "AWS answer", "Variables.FTP_PASS", "password"
                        ),
                        "FTP_HOST": s.keep(
                            "ftp.serraclara.example", "AWS answer", "Variables.FTP_HOST"
                        ),
                        "AWS_SECRET": s.both(
                            noise("portal/sak", 40),
                            "AWS answer",
                            "Variables.AWS_SECRET",
                            "AWS secret key",
                        ),
                        "REMETENTE": s.shape(
                            "SG" + "." + noise("portal/sg1", 22) + "." + noise("portal/sg2", 43),
                            "AWS answer",
                            "Variables.REMETENTE",
                            "vendor token",
                        ),
                    }
                }
            },
        ),
    ]
    dsn = s.shape("Tuiuiu99vermelho", "traceback", "create_engine", "connection string")
    options = ", " + s.keep("pool_pre_ping=True", "traceback", "pool_pre_ping")
    return s.done(
        event,
        aws=calls,
        raised=fault(
            "PermissionError",
            ""
            + s.keep("ORA-01017: invalid username/password", "error text", "message")
            + "; logon denied (user=CARGA password="
            + s.name("samambaia", "error text", "password=", "password")
            + ")",
            f"engine = create_engine('oracle://CARGA:{dsn}@folha.internal:1521/FOLHA'{options})",
        ),
        environment={
            "TARGET_SCHEMA": s.keep("folha_stage", "environment", "TARGET_SCHEMA"),
            "ORACLE_PASSWORD": s.both("Xk4$wRb9!pQz", "environment", "ORACLE_PASSWORD", "password"),
        },
    )


def certificate() -> Planted:
    """Every hour, certificates which run out are renewed."""
    s = Sheet("portal-certificates", "scheduled")
    key, line = pem("portal/rsa", "RSA PRIVATE KEY", 8)
    s.both(line, "answer body", "private_key", "private key")
    event = {
        "version": "0",
        "id": s.alike(uuid("portal/cron"), "event field", "id"),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "740118823309",
        "time": s.keep("2025-11-01T05:00:00Z", "event field", "time"),
        "region": "sa-east-1",
        "resources": [
            s.keep(
                "arn:aws:events:sa-east-1:740118823309:rule/certificados-hora",
                "event field",
                "resources",
            )
        ],
        "detail": {},
    }
    vault = http(
        "POST",
        "https://cofre.serraclara.example:8200/v1/pki/issue/portal",
        [
            (
                "X-Vault-Token",
                s.both(
                    "hvs" + ".CAESI" + noise("portal/hvs", 92),
                    "outbound header",
                    "X-Vault-Token",
                    "vendor token",
                ),
            ),
            ("X-Vault-Namespace", s.keep("estado/portal", "outbound header", "X-Vault-Namespace")),
        ],
        dumps(
            {
                "common_name": s.keep("portal.serraclara.example", "outbound body", "common_name"),
                "ttl": "2160h",
            }
        ),
        200,
        [],
        dumps(
            {
                "data": {
                    "private_key": key,
                    "private_key_type": s.keep("rsa:2048", "answer body", "private_key_type"),
                    "serial_number": s.alike(
                        "3f:9a:11:c0:77:5e:02:b4", "answer body", "serial_number"
                    ),
                }
            }
        ),
    )
    calls = [
        boto(
            "ssm",
            "PutParameter",
            {
                "Name": s.keep("/portal/cert/current", "AWS parameter", "Name"),
                "Type": "String",
                "Value": s.shape(
                    "AK" + "IA" + noise("portal/akia", 16, BASE32),
                    "AWS parameter",
                    "Value",
                    "AWS access key id",
                ),
            },
            {"Version": 41},
        ),
        boto(
            "acm",
            "ImportCertificate",
            {
                "CertificateArn": s.keep(
                    "arn:aws:acm:sa-east-1:740118823309:certificate/portal",
                    "AWS parameter",
                    "CertificateArn",
                ),
                "Tags": [
                    {
                        "Key": "renovador",
                        "Value": s.shape(
                            "dop" + "_v1_" + hexed("portal/dop", 64),
                            "AWS parameter",
                            "Tags.Value",
                            "vendor token",
                        ),
                    }
                ],
            },
            {},
        ),
    ]
    return s.done(
        event,
        requests=[vault],
        aws=calls,
        returned={"renovados": 1, "serial": s.keep("3f9a11c0-775e02b4", "result", "serial")},
        environment={
            "CLOUDFLARE_API_TOKEN": s.both(
                noise("portal/cf", 40), "environment", "CLOUDFLARE_API_TOKEN", "vendor token"
            ),
            "AVISO_WEBHOOK": "https://discord.com/api/webhooks/"
            + digits("portal/dw", 18)
            + "/"
            + s.shape(noise("portal/dwk", 68), "environment", "AVISO_WEBHOOK", "vendor token"),
        },
    )
