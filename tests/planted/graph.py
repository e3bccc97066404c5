"""AppSync resolvers."""

from __future__ import annotations

from .codec import text
from .record import Planted, Sheet, error, request
from .vendor import card, jwt, npm, order, sendgrid, stripe, uuid


def build() -> list[Planted]:
    m = Sheet("appsync-mutation", "AppSync")
    event = {
        "arguments": {
            "input": {
                "title": m.keep("Spring offer", "event field", "title"),
                "newPassword": m.named("hedgehog-hill", "event field", "newPassword", "password"),
                "currentPassword": m.named(
                    "hedgehog-valley", "event field", "currentPassword", "password"
                ),
                "author": m.alike("content-team-3", "event field", "author"),
                "ccNumber": m.both(
                    card("222300012345678"), "event field", "ccNumber", "card number"
                ),
                "couponNumber": m.alike(order("510500000000123"), "event field", "couponNumber"),
                "body": "try " + m.shaped(npm("aps1"), "free text", "body", "vendor token"),
                "limit": m.keep(2500, "event field", "limit"),
                "nextToken": m.alike("page-two-cursor", "event field", "nextToken"),
            }
        },
        "identity": {
            "claims": {
                "sub": m.keep(uuid("aps"), "event field", "sub"),
                "token_use": m.alike("access", "event field", "token_use"),
                "iss": m.keep(
                    "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_x", "event field", "iss"
                ),
            },
            "groups": [m.keep("editors", "event field", "groups")],
            "username": "jdoe",
        },
        "request": {
            "headers": {
                "authorization": m.both(jwt("aps2"), "header", "authorization", "JWT"),
                "x-api-key": m.both(
                    "da2-" + "k3jh" + "5vq2n7c8w0z1x4s6d9f2ga", "header", "x-api-key", "api key"
                ),
                "x-amz-user-agent": m.keep("aws-amplify/6.0", "header", "x-amz-user-agent"),
                "referer": m.keep("https://app.example.com/offers?tab=2", "header", "referer"),
            }
        },
        "info": {
            "fieldName": m.keep("updateOffer", "event field", "fieldName"),
            "parentTypeName": "Mutation",
            "selectionSetList": [
                m.keep("offerId", "event field", "selectionSetList"),
                "tokenExpiry",
            ],
            "selectionSetGraphQL": m.alike(
                "{ offerId tokenExpiry password { strength } }",
                "event field",
                "selectionSetGraphQL",
            ),
            "variables": {"adminKey": m.both(stripe("aps5"), "event field", "adminKey", "api key")},
        },
        "stash": {
            "dbUri": "mysql://app:"
            + m.both("s3a-b4ss", "event field", "dbUri", "connection string")
            + "@db/offers"
        },
    }
    graph = request(
        "POST",
        "https://gql.example.com/graphql",
        [
            (
                "x-hasura-admin-secret",
                m.named("hazel-admin", "outbound header", "x-hasura-admin-secret", "api key"),
            ),
            (
                "apollographql-client-name",
                m.keep("offer-resolver", "outbound header", "apollographql-client-name"),
            ),
        ],
        text(
            {
                "query": m.alike(
                    "query($t: String) { session(token: $t) { id } }", "outbound body", "query"
                ),
                "operationName": m.keep("OfferSession", "outbound body", "operationName"),
                "variables": {
                    "t": m.shaped(sendgrid("aps3"), "outbound body", "t", "vendor token")
                },
            }
        ),
        answer_body=text(
            {
                "data": {"session": {"id": m.keep("ses-id-88", "answer body", "id")}},
                "extensions": {
                    "authToken": m.named(
                        "extension-elm", "answer body", "authToken", "access token"
                    )
                },
            }
        ),
    )
    return [
        m.planted(
            event,
            requests=[graph],
            environment={
                "GRAPH_URL": m.keep("https://gql.example.com/v2", "environment", "GRAPH_URL"),
                "SHARED": m.shaped(jwt("aps4"), "environment", "SHARED", "JWT"),
            },
            raised=error(
                "TypeError",
                "unexpected argument newPassword="
                + m.named("badger-brook", "error text", "newPassword", "password"),
                'offer.update(secret_key="'
                + m.named("vole-vale", "traceback", "secret_key", "client secret")
                + '")',
            ),
        )
    ]
