"""Makes the outbound calls of a planted invocation, as the hooks of the libraries describe them."""

import json

from replay.interaction import AwsCall, HttpCall, Response
from replay.recorder.outbound import outlet
from replay.recorder.outbound.withheld import kept_body, kept_headers, kept_url


def content(body):
    return body if isinstance(body, bytes) else body.encode()


def make_calls(one):
    """Make an invocation's outbound calls, as the hooks of the libraries describe them."""
    for it in one.requests:
        headers = [tuple(pair) for pair in it["headers"]]
        kind = next((value for name, value in headers if name.lower() == "content-type"), "")
        call = HttpCall(
            it["method"],
            kept_url(it["url"]),
            kept_headers(headers, of_request=True),
            kept_body(content(it["body"]), kind),
        )
        answer = it["answer"]
        answered = kept_headers([tuple(pair) for pair in answer["headers"]], of_request=False)
        response = Response(answer["status"], "OK", answered, content(answer["body"]))
        outlet.open_call(lambda call=call: call).settle(response)
    for it in one.aws:
        call = AwsCall(it["service"], it["operation"], "eu-west-1", it["parameters"], False)
        response = Response(200, "OK", (), json.dumps(it["answer_json"]).encode())
        outlet.open_call(lambda call=call: call).settle(response)
