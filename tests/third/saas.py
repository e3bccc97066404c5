"""Quillbase: a startup which sells shared notebooks; webhooks, integrations, a deploy pipeline."""

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
    uuid,
    zipped,
)
from .sheet import Planted, Sheet, boto, fault, http


def build() -> list[Planted]:
    return [slash(), integrate(), logs(), deploy()]


def slash() -> Planted:
    """A slash command of a chat, sent as a base64 form to a function URL."""
    s = Sheet("saas-slash-command", "function URL")
    body = form(
        {
            "token": s.name(noise("saas/sltok", 24), "base64 body", "token", "webhook secret"),
            "team_domain": s.keep("inkwell-labs", "base64 body", "team_domain"),
            "command": s.keep("/quill", "base64 body", "command"),
            "text": "connect github gith"
            + "ub_pat_"
            + s.shape(
                noise("saas/pat1", 22) + "_" + noise("saas/pat2", 59),
                "base64 body",
                "text",
                "vendor token",
            )
            + " to #docs",
            "trigger_id": s.alike(
                digits("saas/tr1", 12) + "." + digits("saas/tr2", 10) + "." + hexed("saas/tr3", 32),
                "base64 body",
                "trigger_id",
            ),
            "response_url": "https://hooks.slack.com/commands/T0QB/"
            + noise("saas/resp", 12)
            + "/"
            + noise("saas/resp2", 24),
        }
    )
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/slack/token/"
        + s.name(
            noise("saas/hookpath", 26, LOWER), "path", "/slack/token/{token}", "webhook secret"
        ),
        "rawQueryString": "",
        "cookies": ["__stripe_mid=" + s.alike(uuid("saas/mid"), "cookie", "__stripe_mid")],
        "headers": {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": s.keep(
                "1761985544", "header", "x-slack-request-timestamp"
            ),
            "x-slack-signature": "v0=" + hexed("saas/slsig", 64),
            "authorization": "Bearer "
            + s.both("qb_" + "live_" + noise("saas/qb", 36), "header", "authorization", "api key"),
            "x-request-id": s.alike(hexed("saas/xrid", 32), "header", "x-request-id"),
        },
        "requestContext": {
            "accountId": "anonymous",
            "domainName": s.keep(
                "qx7k2mn4v.lambda-url.us-west-2.on.aws", "event field", "domainName"
            ),
            "http": {
                "method": "POST",
                "path": "/slack",
                "userAgent": s.keep(
                    "Slackbot 1.0 (+https://api.slack.com/robots)", "event field", "http.userAgent"
                ),
            },
            "requestId": uuid("saas/urlrid"),
            "time": "01/Nov/2025:08:25:44 +0000",
        },
        "body": b64(body),
        "isBase64Encoded": True,
    }
    gh = http(
        "GET",
        "https://api.github.com/user/repos",
        [
            (
                "Authorization",
                "token "
                + s.both(
                    "gh" + "o_" + noise("saas/gho", 36),
                    "outbound header",
                    "Authorization",
                    "vendor token",
                ),
            ),
            (
                "X-GitHub-Api-Version",
                s.keep("2022-11-28", "outbound header", "X-GitHub-Api-Version"),
            ),
        ],
        "",
        200,
        [
            ("X-RateLimit-Reset", s.keep("1761989144", "answer header", "X-RateLimit-Reset")),
            (
                "X-GitHub-Request-Id",
                s.alike(
                    "C3A1:2F44:" + hexed("saas/ghr", 7).upper() + ":690A1F",
                    "answer header",
                    "X-GitHub-Request-Id",
                ),
            ),
        ],
        dumps(
            [
                {
                    "full_name": s.keep("inkwell-labs/handbook", "answer body", "full_name"),
                    "node_id": s.alike("R_kgDO" + noise("saas/node", 8), "answer body", "node_id"),
                    "temp_clone_token": s.name(
                        noise("saas/clone", 29, UPPER),
                        "answer body",
                        "temp_clone_token",
                        "access token",
                    ),
                }
            ]
        ),
    )
    return s.done(
        event,
        requests=[gh],
        returned={
            "statusCode": 200,
            "body": dumps({"text": s.keep("Connected to 1 repository", "result", "text")}),
        },
        environment={
            "SLACK_SIGNING_SECRET": s.name(
                hexed("saas/signing", 32), "environment", "SLACK_SIGNING_SECRET", "webhook secret"
            ),
            "SLACK_BOT_TOKEN": s.both(
                "xo"
                + "xb-"
                + digits("saas/xb1", 11)
                + "-"
                + digits("saas/xb2", 12)
                + "-"
                + noise("saas/xb3", 24),
                "environment",
                "SLACK_BOT_TOKEN",
                "vendor token",
            ),
            "OPENAI_API_KEY": s.both(
                "sk" + "-proj-" + noise("saas/oai", 74) + "T3Blbk" + "FJ" + noise("saas/oai2", 74),
                "environment",
                "OPENAI_API_KEY",
                "vendor token",
            ),
            "MAX_TOKENS": s.alike("4096 per reply", "environment", "MAX_TOKENS"),
            "TOKENIZER": s.alike("o200k_base", "environment", "TOKENIZER"),
            "SENDER": s.keep("hello@quillbase.example", "environment", "SENDER"),
        },
    )


def integrate() -> Planted:
    """A customer adds an integration through the GraphQL API."""
    s = Sheet("saas-add-integration", "AppSync")
    args = {
        "input": {
            "kind": s.keep("shopify", "event field", "arguments.input.kind"),
            "label": s.keep("Storefront EU", "event field", "arguments.input.label"),
            "apiKey": s.both(
                "shp" + "at_" + hexed("saas/shpat", 32),
                "event field",
                "arguments.input.apiKey",
                "vendor token",
            ),
            "options": [
                {
                    "key": s.alike("sync_interval", "event field", "arguments.input.options.key"),
                    "value": s.keep("15 min", "event field", "arguments.input.options.value"),
                },
                {
                    "key": "smtp_password",
                    "value": s.name(
                        "inky-octopus",
                        "event field",
                        "arguments.input.options smtp_password",
                        "password",
                    ),
                },
                {
                    "key": "relay",
                    "value": "smtp://mailer:"
                    + s.shape(
                        "Blotter7Nib",
                        "event field",
                        "arguments.input.options relay",
                        "connection string",
                    )
                    + "@smtp.inkwell.example:587",
                },
            ],
            "connection": dumps(
                {
                    "dsn": "Server=tcp:inkwell.database.windows.net,1433;Database=notes;User ID=sync;Password="
                    + s.both(
                        "Parchment!88x", "nested JSON string", "connection.dsn", "connection string"
                    )
                    + ";Encrypt=True",
                    "pool": s.keep("max-8", "nested JSON string", "connection.pool"),
                    "portal": s.shape(
                        "pat" + "-na1-" + uuid("saas/hub"),
                        "nested JSON string",
                        "connection.portal",
                        "vendor token",
                    ),
                }
            ),
        }
    }
    event = {
        "arguments": args,
        "identity": {
            "sub": s.alike(uuid("saas/sub"), "event field", "identity.sub"),
            "issuer": s.keep(
                "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_Qu1llb4s3",
                "event field",
                "identity.issuer",
            ),
            "username": "fern",
            "groups": [s.keep("workspace-admins", "event field", "identity.groups")],
        },
        "source": None,
        "request": {
            "headers": {
                "authorization": s.both(
                    jwt("saas/idjwt", {"sub": "fern", "ws": "inkwell"}, "RS256"),
                    "header",
                    "authorization",
                    "JWT",
                ),
                "x-api-key": s.name(
                    "da2-" + noise("saas/da2", 26, LOWER), "header", "x-api-key", "api key"
                ),
                "x-amz-user-agent": s.keep("aws-amplify/6.9.0 api/1", "header", "x-amz-user-agent"),
                "cookie": "qb_session="
                + s.both(noise("saas/qbs", 44), "cookie", "qb_session", "session cookie")
                + "; _ga="
                + s.alike(
                    "GA1.1." + digits("saas/ga1", 9) + "." + digits("saas/ga2", 10), "cookie", "_ga"
                ),
            },
            "domainName": None,
        },
        "prev": {"result": {"plan": s.keep("notebooks-yearly", "event field", "prev.result.plan")}},
        "info": {
            "fieldName": s.keep("createIntegration", "event field", "info.fieldName"),
            "parentTypeName": "Mutation",
            "selectionSetList": ["id", "status"],
            "variables": {},
        },
        "stash": {},
    }
    calls = [
        boto(
            "secretsmanager",
            "CreateSecret",
            {
                "Name": s.keep("ws/inkwell/integrations/shopify", "AWS parameter", "Name"),
                "SecretString": s.name(
                    "feathers on the windowsill", "AWS parameter", "SecretString", "client secret"
                ),
                "KmsKeyId": s.alike("alias/workspace-secrets", "AWS parameter", "KmsKeyId"),
            },
            {
                "ARN": s.alike(
                    "arn:aws:secretsmanager:us-west-2:402217760953:secret:ws/inkwell-7hGz1Q",
                    "AWS answer",
                    "ARN",
                ),
                "VersionId": uuid("saas/ver"),
            },
        ),
        boto(
            "kms",
            "GenerateDataKey",
            {
                "KeyId": "alias/workspace-secrets",
                "KeySpec": s.alike("AES_256", "AWS parameter", "KeySpec"),
            },
            {
                "Plaintext": s.both(
                    noise("saas/dk", 43) + "=",
                    "AWS answer",
                    "Plaintext (data key)",
                    "encryption key",
                ),
                "KeyId": s.alike(
                    "arn:aws:kms:us-west-2:402217760953:key/" + uuid("saas/kms"),
                    "AWS answer",
                    "KeyId",
                ),
            },
        ),
    ]
    test = http(
        "GET",
        "https://inkwell.myshopify.com/admin/api/2025-07/shop.json",
        [
            (
                "X-Shopify-Access-Token",
                s.both(
                    "shp" + "ca_" + hexed("saas/shpca", 32),
                    "outbound header",
                    "X-Shopify-Access-Token",
                    "vendor token",
                ),
            )
        ],
        "",
        401,
        [("X-Shopify-Stage", s.keep("production-east", "answer header", "X-Shopify-Stage"))],
        dumps({"errors": s.keep("[API] Invalid scope", "answer body", "errors")}),
    )
    return s.done(
        event,
        aws=calls,
        requests=[test],
        returned={
            "id": s.alike("int_" + noise("saas/int", 20), "result", "id"),
            "status": s.keep("PENDING_TEST", "result", "status"),
            "echo": s.shape(
                "rk_" + "live_" + noise("saas/rk", 48), "result", "echo", "vendor token"
            ),
        },
    )


def logs() -> Planted:
    """Another function's log lines; some print more than they should."""
    s = Sheet("saas-log-drain", "CloudWatch Logs")
    lines = [
        "INFO sent invoice mail via "
        + s.shape(
            "SG" + "." + noise("saas/sg1", 22) + "." + noise("saas/sg2", 43),
            "gzip",
            "invoice mail via",
            "vendor token",
        ),
        "INFO login ok user=fern password="
        + s.name("dewdrop", "gzip", "password=", "password")
        + " ip=10.0.3.9",
        "DEBUG headers: {'Host': 'api', 'Authorization': 'Bearer "
        + s.both(jwt("saas/logjwt", {"sub": "fern"}), "gzip", "'Authorization'", "JWT")
        + "'}",
        "psycopg2.OperationalError: postgres://quill:"
        + s.shape("hJ8pLw3nZe", "gzip", "OperationalError", "connection string")
        + "@db.quillbase.example/main",
        "charge failed for card "
        + s.shape(
            spaced5(pan("saas/amex", "3742", 15)), "gzip", "charge failed for card", "card number"
        )
        + " reason=do_not_honor",
        dumps(
            {
                "lvl": "info",
                "stripe_key": s.both(
                    "sk_" + "live_" + noise("saas/sk", 99), "gzip", "stripe_key", "vendor token"
                ),
                "region": s.keep("us-west-2b", "gzip", "region"),
                "commit": s.alike(hexed("saas/commit", 40), "gzip", "commit"),
            }
        ),
        "s3 client for "
        + s.shape(
            "AK" + "IA" + noise("saas/logak", 16, BASE32),
            "gzip",
            "s3 client for",
            "AWS access key id",
        )
        + " in us-west-2",
        "uploading with "
        + s.shape("np" + "m_" + noise("saas/npm", 36), "gzip", "uploading with", "vendor token"),
        "reset link: https://app.quillbase.example/reset?reset_token="
        + s.both(noise("saas/reset", 40), "gzip", "reset_token", "reset token"),
        "REPORT RequestId: "
        + s.alike(uuid("saas/report"), "gzip", "RequestId")
        + " Duration: "
        + s.keep("812.44 ms", "gzip", "Duration")
        + " Billed Duration: 813 ms",
    ]
    data = {
        "messageType": s.keep("DATA_MESSAGE", "gzip", "messageType"),
        "owner": "402217760953",
        "logGroup": s.keep("/aws/lambda/quill-billing", "gzip", "logGroup"),
        "logStream": s.alike(
            "2025/11/01/[$LATEST]" + hexed("saas/stream", 32), "gzip", "logStream"
        ),
        "subscriptionFilters": [s.keep("drain-all", "gzip", "subscriptionFilters")],
        "logEvents": [
            {"id": digits("saas/le%d" % at, 56), "timestamp": 1761985600000 + at, "message": line}
            for at, line in enumerate(lines)
        ],
    }
    sink = http(
        "POST",
        "https://intake.loghive.example/v1/bulk?source="
        + s.keep("lambda-drain", "outbound url", "source"),
        [
            (
                "DD-API-KEY",
                s.name(hexed("saas/dd", 32), "outbound header", "DD-API-KEY", "api key"),
            ),
            ("Content-Encoding", "gzip"),
        ],
        zipped(
            dumps(
                [
                    {
                        "m": "cache warm",
                        "svc": s.keep("quill-edge", "gzip", "svc"),
                        "ctx": {
                            "apitoken": s.name(
                                uuid("saas/apitok"), "gzip", "ctx.apitoken", "access token"
                            ),
                            "arg": s.shape(
                                "glp" + "at-" + noise("saas/glpat", 20),
                                "gzip",
                                "ctx.arg",
                                "vendor token",
                            ),
                        },
                    }
                ]
            )
        ),
        202,
        [],
        dumps({"accepted": 8}),
    )
    return s.done(
        {"awslogs": {"data": b64(zipped(data))}},
        requests=[sink],
        returned={"drained": s.keep("8 lines", "result", "drained")},
        environment={
            "DEAD_LETTERS": s.keep(
                "https://sqs.us-west-2.amazonaws.com/402217760953/drain-dlq",
                "environment",
                "DEAD_LETTERS",
            )
        },
    )


def spaced5(number: str) -> str:
    """A fifteen digit card number as it is printed."""
    return f"{number[:4]} {number[4:10]} {number[10:]}"


def deploy() -> Planted:
    """A step of the deploy pipeline fails."""
    s = Sheet("saas-deploy-step", "CodePipeline")
    params = {
        "env": s.keep("production-blue", "nested JSON string", "UserParameters.env"),
        "image": s.alike(
            "quill/api@sha256:" + hexed("saas/digest", 64),
            "nested JSON string",
            "UserParameters.image",
        ),
        "npmrc": "//registry.npmjs.org/:_authToken="
        + s.both(
            "np" + "m_" + noise("saas/npm2", 36),
            "nested JSON string",
            "UserParameters.npmrc",
            "vendor token",
        ),
        "dockerPassword": s.name(
            "quayside-lantern", "nested JSON string", "UserParameters.dockerPassword", "password"
        ),
        "publishTo": s.shape(
            "py" + "pi-AgEIcHlwaS5vcmc" + noise("saas/pypi", 140),
            "nested JSON string",
            "UserParameters.publishTo",
            "vendor token",
        ),
    }
    event = {
        "CodePipeline.job": {
            "id": s.alike(uuid("saas/job"), "event field", "CodePipeline.job.id"),
            "accountId": "402217760953",
            "data": {
                "actionConfiguration": {
                    "configuration": {
                        "FunctionName": s.keep("deploy-step", "event field", "FunctionName"),
                        "UserParameters": dumps(params),
                    }
                },
                "inputArtifacts": [
                    {
                        "name": s.keep("BuildOutput", "event field", "inputArtifacts.name"),
                        "revision": s.alike(
                            hexed("saas/rev", 40), "event field", "inputArtifacts.revision"
                        ),
                        "location": {
                            "type": "S3",
                            "s3Location": {
                                "bucketName": "quill-artifacts",
                                "objectKey": s.keep(
                                    "quill/BuildOut/" + noise("saas/okey", 7),
                                    "event field",
                                    "objectKey",
                                ),
                            },
                        },
                    }
                ],
                "outputArtifacts": [],
                "artifactCredentials": {
                    "accessKeyId": s.both(
                        "AS" + "IA" + noise("saas/asia", 16, BASE32),
                        "event field",
                        "artifactCredentials.accessKeyId",
                        "AWS access key id",
                    ),
                    "secretAccessKey": s.both(
                        noise("saas/acsak", 40),
                        "event field",
                        "artifactCredentials.secretAccessKey",
                        "AWS secret key",
                    ),
                    "sessionToken": s.both(
                        "FwoGZXIvYXdzE" + noise("saas/acst", 260),
                        "event field",
                        "artifactCredentials.sessionToken",
                        "AWS session token",
                    ),
                },
                "continuationToken": s.alike("step-2-of-3", "event field", "continuationToken"),
            },
        }
    }
    calls = [
        boto(
            "ecs",
            "RegisterTaskDefinition",
            {
                "family": s.keep("quill-api", "AWS parameter", "family"),
                "containerDefinitions": [
                    {
                        "name": "api",
                        "environment": [
                            {
                                "name": "DJANGO_SECRET_KEY",
                                "value": s.name(
                                    "inkpot-inkpot-inkpot",
                                    "AWS parameter",
                                    "environment DJANGO_SECRET_KEY",
                                    "encryption key",
                                ),
                            },
                            {
                                "name": "WORKERS",
                                "value": s.keep(
                                    "gunicorn x6", "AWS parameter", "environment WORKERS"
                                ),
                            },
                            {
                                "name": "BROKER",
                                "value": "amqps://celery:"
                                + s.shape(
                                    "Wq4tNb8s",
                                    "AWS parameter",
                                    "environment BROKER",
                                    "connection string",
                                )
                                + "@mq.quillbase.example:5671/",
                            },
                        ],
                        "secrets": [
                            {
                                "name": "DB",
                                "valueFrom": s.alike(
                                    "arn:aws:ssm:us-west-2:402217760953:parameter/quill/db-password",
                                    "AWS parameter",
                                    "secrets.valueFrom",
                                ),
                            }
                        ],
                    }
                ],
            },
            {
                "taskDefinition": {
                    "revision": 77,
                    "status": s.keep("ACTIVE", "AWS answer", "status"),
                }
            },
        ),
        boto(
            "codepipeline",
            "PutJobFailureResult",
            {
                "jobId": "see event",
                "failureDetails": {
                    "type": s.keep("JobFailed", "AWS parameter", "failureDetails.type"),
                    "message": "terraform login used "
                    + s.shape(
                        noise("saas/tf", 14) + "." + "atlasv1." + noise("saas/tf2", 67),
                        "AWS parameter",
                        "failureDetails.message",
                        "vendor token",
                    ),
                },
            },
            {},
        ),
    ]
    return s.done(
        event,
        aws=calls,
        raised=fault(
            "OSError",
            "git clone https://x-access-token:"
            + s.shape(
                "gh" + "s_" + noise("saas/ghs", 36), "error text", "git clone", "vendor token"
            )
            + "@github.com/quillbase/infra.git "
            + s.keep("exited with 128", "error text", "exited"),
            "run(['docker', 'login', '--username', 'quill', '--password', '"
            + s.name("moth-lamp-moth", "traceback", "--password", "password")
            + "'], "
            + s.keep("check=True", "traceback", "check")
            + ")",
        ),
        environment={
            "GIT_BRANCH": s.keep("release/2025.44", "environment", "GIT_BRANCH"),
            "SIGNING_KEY_ALIAS": s.alike(
                "alias/deploy-signing", "environment", "SIGNING_KEY_ALIAS"
            ),
        },
    )
