"""WebSocket API, CodePipeline, CloudFormation and Kafka; mostly secrets that strayed under harmless names."""

from __future__ import annotations

from .codec import form, percent, text, wrap
from .record import Planted, Sheet, call, error, request
from .vendor import (
    aws_key_id,
    aws_secret,
    aws_session,
    bcrypt,
    card,
    github,
    google,
    google_oauth,
    hexes,
    jwt,
    noise,
    npm,
    order,
    pem,
    sendgrid,
    shopify,
    slack,
    slack_hook,
    stripe,
    uuid,
)


def socket() -> Planted:
    m = Sheet("websocket-message", "WebSocket API")
    stuck = m.shaped(github("wsp"), "path", "room", "vendor token")
    event = {
        "requestContext": {
            "routeKey": m.keep("sendmessage", "event field", "routeKey"),
            "eventType": m.keep("MESSAGE", "event field", "eventType"),
            "connectionId": "fjS9vcMZoAMCFVw=",
            "stage": "live",
            "requestTimeEpoch": m.keep(1611163530551, "event field", "requestTimeEpoch"),
            "path": "/rooms/" + stuck,
        },
        "headers": {
            "Cookie": "pref=" + m.shaped(slack("wsc"), "cookie", "pref", "vendor token"),
            "X-Trace-Note": m.shaped(jwt("wsh"), "header", "X-Trace-Note", "JWT"),
            "Sec-WebSocket-Protocol": m.keep("graphql-ws", "header", "Sec-WebSocket-Protocol"),
            "Sec-WebSocket-Key": m.alike("x3JJHMbDL1EzLkh9GBhXDw==", "header", "Sec-WebSocket-Key"),
        },
        "multiValueHeaders": {
            "X-Extra": [m.shaped(google("wsm"), "multi-value header", "X-Extra", "vendor token")]
        },
        "body": text(
            {
                "action": m.keep("say_hello", "JSON body", "action"),
                "say": "here: " + m.shaped(stripe("wsb"), "JSON body", "say", "vendor token"),
                "replyTo": m.keep("msg-8801", "JSON body", "replyTo"),
                "lines": [
                    m.shaped(shopify("wsl"), "JSON body", "lines", "vendor token"),
                    m.shaped(card("542418000000123"), "JSON body", "lines", "card number"),
                ],
            }
        ),
        "isBase64Encoded": False,
    }
    post = request(
        "POST",
        "https://collector.example.com/in?d="
        + percent(
            m.shaped(
                "S" + "G." + noise("wsq", 22) + "." + noise("wsr", 43),
                "outbound url",
                "d",
                "vendor token",
            )
        ),
        [("X-Meta", m.shaped(npm("wso"), "outbound header", "X-Meta", "vendor token"))],
        form(
            [
                ("line", m.shaped(github("wsf"), "outbound body", "line", "vendor token")),
                ("kind", m.keep("chat-line", "outbound body", "kind")),
            ]
        ),
        status=200,
        answer_headers=[
            ("X-Echo", m.shaped(jwt("wsa"), "answer header", "X-Echo", "JWT")),
            ("X-Served-By", m.keep("edge-fra-12", "answer header", "X-Served-By")),
        ],
        answer_body="<p>"
        + m.keep("stored as line 90011", "answer body", "")
        + "</p><!-- "
        + m.shaped(google_oauth("wsx"), "answer body", "", "access token")
        + " -->",
    )
    return m.planted(
        event,
        requests=[post],
        returned={
            "statusCode": 200,
            "body": text(
                {
                    "echo": m.shaped(slack("wsy"), "result", "echo", "vendor token"),
                    "delivered": m.keep("all-members", "result", "delivered"),
                }
            ),
        },
    )


def pipeline() -> Planted:
    m = Sheet("codepipeline-job", "CodePipeline")
    event = {
        "CodePipeline.job": {
            "id": m.keep(uuid("cpj"), "event field", "id"),
            "accountId": "123456789012",
            "data": {
                "actionConfiguration": {
                    "configuration": {
                        "FunctionName": m.keep("pipeline-gate", "event field", "FunctionName"),
                        "UserParameters": text(
                            {
                                "branch": m.keep("release/7", "nested JSON string", "branch"),
                                "opts": m.shaped(
                                    npm("cpu"), "nested JSON string", "opts", "vendor token"
                                ),
                                "arg1": m.shaped(
                                    pem("cpk", lines=5), "nested JSON string", "arg1", "private key"
                                ),
                            }
                        ),
                    }
                },
                "inputArtifacts": [
                    {
                        "revision": m.alike(hexes("cpr", 40), "event field", "revision"),
                        "name": m.keep("SourceOutput", "event field", "name"),
                        "location": {
                            "type": "S3",
                            "s3Location": {
                                "bucketName": m.keep("pipeline-store", "event field", "bucketName"),
                                "objectKey": m.alike(
                                    "gate/SourceOut/x8Kq2Lm.zip", "event field", "objectKey"
                                ),
                            },
                        },
                    }
                ],
                "artifactCredentials": {
                    "accessKeyId": aws_key_id("cpa", "ASIA"),
                    "secretAccessKey": m.both(
                        aws_secret("cps"), "event field", "secretAccessKey", "AWS secret key"
                    ),
                    "sessionToken": m.both(
                        aws_session("cpt"), "event field", "sessionToken", "AWS session token"
                    ),
                },
                "continuationToken": m.alike("build-4-of-9", "event field", "continuationToken"),
            },
        }
    }
    note = call(
        "codepipeline",
        "PutJobSuccessResult",
        {
            "jobId": m.keep("job-cp-1", "AWS parameter", "jobId"),
            "outputVariables": {
                "summary": m.shaped(github("cpo"), "AWS parameter", "summary", "vendor token"),
                "verdict": m.keep("gate-open", "AWS parameter", "verdict"),
            },
        },
        {},
    )
    read = call(
        "ssm",
        "GetParameter",
        {"Name": "/gate/url"},
        {
            "Parameter": {
                "Type": "String",
                "ARN": m.alike(
                    "arn:aws:ssm:eu-west-1:123456789012:parameter/gate/token-url",
                    "AWS answer",
                    "ARN",
                ),
                "Value": "https://hooks.slack.com/services/"
                + m.shaped(slack_hook("cph"), "AWS answer", "Value", "webhook secret"),
            }
        },
    )
    return m.planted(
        event,
        aws=[note, read],
        environment={
            "TARGET": "postgresql://gate:"
            + m.shaped("Lam8-post", "environment", "TARGET", "connection string")
            + "@pg.internal/gate",
            "GREETING": m.shaped(sendgrid("cpg"), "environment", "GREETING", "vendor token"),
            "CODE_OWNER": m.alike("platform-guild", "environment", "CODE_OWNER"),
        },
        raised=error(
            "RuntimeError",
            "gate answered: "
            + m.shaped(jwt("cpe"), "error text", "", "JWT")
            + " for "
            + m.keep("release-7-rc1", "error text", ""),
            'result = check("' + m.shaped(stripe("cpx"), "traceback", "", "vendor token") + '")',
        ),
    )


def stack() -> Planted:
    m = Sheet("cloudformation-custom", "CloudFormation")
    event = {
        "RequestType": m.keep("Create", "event field", "RequestType"),
        "ServiceToken": m.alike(
            "arn:aws:lambda:us-east-1:123456789012:function:cfn-seed", "event field", "ServiceToken"
        ),
        "ResponseURL": "https://cfn-response.s3.amazonaws.com/x?X-Amz-Date=20240617T155239Z&X-Amz-Signature="
        + m.both(hexes("cfs", 64), "event field", "X-Amz-Signature", "signed url"),
        "StackId": m.keep(
            "arn:aws:cloudformation:us-east-1:123456789012:stack/seed/1", "event field", "StackId"
        ),
        "LogicalResourceId": m.keep("SeedDatabase", "event field", "LogicalResourceId"),
        "ResourceType": m.keep("Custom::Seed", "event field", "ResourceType"),
        "ResourceProperties": {
            "AdminPassword": m.both(
                "Xk9#" + noise("cfp", 20) + "%a", "event field", "AdminPassword", "password"
            ),
            "KeyName": m.alike("ops-keypair-2", "event field", "KeyName"),
            "Endpoint": "redis://:"
            + m.shaped("Wasp5nest", "event field", "Endpoint", "connection string")
            + "@r.internal:6379",
            "Rows": [
                m.shaped(bcrypt("cfb"), "event field", "Rows", "password hash"),
                m.keep("seed-row-2", "event field", "Rows"),
            ],
        },
    }
    return m.planted(
        event,
        returned={
            "PhysicalResourceId": m.keep("seed-db-1", "result", "PhysicalResourceId"),
            "Data": {
                "Output": m.shaped(aws_session("cfo"), "result", "Output", "AWS session token"),
                "MasterSecret": m.both(noise("cfm", 44), "result", "MasterSecret", "client secret"),
            },
        },
    )


def kafka() -> Planted:
    m = Sheet("kafka-topic", "Kafka (MSK)")
    value = {
        "kind": m.keep("invoice.created", "Kafka record", "kind"),
        "amountDue": m.keep("870.25", "Kafka record", "amountDue"),
        "memo": m.shaped(stripe("kfm"), "Kafka record", "memo", "vendor token"),
        "src": "mongodb://reader:"
        + m.shaped("Fig0-tart", "Kafka record", "src", "connection string")
        + "@m1.internal/db",
        "label": m.shaped(card("601130000000456"), "Kafka record", "label", "card number"),
        "bag": {
            "x1": m.shaped(google("kfg"), "Kafka record", "x1", "vendor token"),
            "accessToken": m.both(
                google_oauth("kfa"), "Kafka record", "accessToken", "access token"
            ),
        },
        "receiptNumber": m.alike(order("455600000000789"), "Kafka record", "receiptNumber"),
    }
    event = {
        "eventSource": m.keep("aws:kafka", "event field", "eventSource"),
        "bootstrapServers": m.keep(
            "b-1.demo.a1bcde.c1.kafka.us-east-1.amazonaws.com:9092",
            "event field",
            "bootstrapServers",
        ),
        "records": {
            "invoices-0": [
                {
                    "topic": m.keep("invoices", "event field", "topic"),
                    "partition": 0,
                    "offset": m.keep(15002, "event field", "offset"),
                    "key": wrap("invoice-key-9"),
                    "value": wrap(text(value)),
                    "headers": [{"traceparent": list(b"00-aa-bb-01")}],
                }
            ]
        },
    }
    return m.planted(
        event,
        client_context={
            "custom": {
                "origin": m.shaped(jwt("kfc"), "client context", "origin", "JWT"),
                "replay": m.keep("never-before", "client context", "replay"),
            }
        },
        raised=error(
            "ValueError",
            "record 15 held " + m.shaped(aws_session("kfe"), "error text", "", "AWS session token"),
            'publish("' + m.shaped(shopify("kft"), "traceback", "", "vendor token") + '", topic)',
        ),
    )


def build() -> list[Planted]:
    return [socket(), pipeline(), stack(), kafka()]
