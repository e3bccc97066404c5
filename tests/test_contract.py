"""What a handler sends, then and now: pairs of calls, what differs in them, what is excused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.codec import Truncated
from replay.interaction import AwsCall, HttpCall, Interaction, Response
from replay.replayer.compare import ABSENT
from replay.replayer.outbound.contract import Sent, contract_of
from replay.replayer.outbound.echo import Echo
from replay.replayer.outbound.form import compare_calls, key_of
from replay.replayer.outbound.match import Matcher
from replay.replayer.outbound.rules import STANDARD, Rules


def put(table="orders", **item):
    attributes = {name: {"S": value} for name, value in item.items()}
    return AwsCall("dynamodb", "PutItem", "eu", {"TableName": table, "Item": attributes}, False)


def get(id):
    parameters = {"TableName": "orders", "Key": {"id": {"S": id}}}
    return AwsCall("dynamodb", "GetItem", "eu", parameters, True)


def message(body, group="a"):
    parameters = {"QueueUrl": "q", "MessageBody": body, "MessageGroupId": group}
    return AwsCall("sqs", "SendMessage", "eu", parameters, False)


RECORDED = (get("1"), put(id="1", name="x"), message('{"a":1,"b":2}'), message("two"), get("2"))


def interactions(*calls, lanes=None):
    """Calls that were answered one after the other."""
    return [
        Interaction(n, call, n * 100, Response(200), 50, lane=lanes[n - 1] if lanes else 0)
        for n, call in enumerate(calls, start=1)
    ]


def sent(*calls):
    return [Sent(call, False, 1, True, None) for call in calls]


def judged(*calls, recorded=RECORDED, rules=STANDARD):
    return contract_of(interactions(*recorded), sent(*calls), rules)


def without(place):
    return [call for n, call in enumerate(RECORDED) if n != place]


def with_(place, call):
    return [call if n == place else one for n, one in enumerate(RECORDED)]


def swapped(one, other):
    calls = list(RECORDED)
    calls[one], calls[other] = calls[other], calls[one]
    return calls


CHANGES = {
    "dropped attribute": (with_(1, put(id="1")), "2 dynamodb PutItem", "$.Item.name"),
    "new attribute": (with_(1, put(id="1", name="x", a="b")), "2 dynamodb PutItem", "$.Item.a"),
    "other value": (with_(1, put(id="1", name="y")), "2 dynamodb PutItem", "$.Item.name.S"),
    "other table": (
        with_(1, put("refunds", id="1", name="x")),
        "2 dynamodb PutItem",
        "$.TableName",
    ),
    "other region": (with_(1, replace(RECORDED[1], region="us")), "2 dynamodb PutItem", "$.region"),
    "other group": (with_(3, message("two", "b")), "4 sqs SendMessage", "$.MessageGroupId"),
    "other value in a body": (
        with_(2, message('{"a":3,"b":2}')),
        "3 sqs SendMessage",
        "$.MessageBody.a",
    ),
    "sent twice": ([*RECORDED, message("two")], "extra sqs SendMessage", "$"),
    "not sent": (without(3), "4 sqs SendMessage", "$"),
    "order of two writes": (swapped(1, 2), "2 dynamodb PutItem", "$"),
    "order of two messages": (swapped(2, 3), "3 sqs SendMessage", "$"),
    "a call of another kind": (
        [*RECORDED, AwsCall("sns", "Publish", "eu", {"Message": "m"}, False)],
        "extra sns Publish",
        "$",
    ),
    "a read of something else": (with_(4, get("3")), "5 dynamodb GetItem", "$.Key.id.S"),
}
HARMLESS = {
    "nothing": list(RECORDED),
    "key order": with_(1, put(name="x", id="1")),
    "key order in a body": with_(2, message('{"b": 2, "a": 1}')),
    "a read more": [*RECORDED, get("1")],
    "a read less": without(0),
    "reads elsewhere": [RECORDED[4], *RECORDED[:4]],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_what_is_sent_is_drift_at_its_path(change):
    """Each at the call and the path where it is, and nowhere else."""
    calls, name, path = CHANGES[change]
    found = judged(*calls).differences
    assert [(name, path)] == [(difference.call, difference.path) for difference in found]


@pytest.mark.parametrize("change", HARMLESS)
def test_what_changes_nothing_is_no_drift(change):
    """Neither the order of keys nor how often something is read."""
    assert judged(*HARMLESS[change]).differences == ()


def test_every_difference_is_counted_by_its_kind():
    """As in the verdict."""
    contract = judged(get("1"), get("1"), put(id="1"), message("two"))
    counts = (contract.matched, contract.changed, contract.unused, contract.extra)
    assert counts == (2, 1, 2, 1)
    assert [excused.rule for excused in contract.excused] == ["reads", "reads"]


def test_rules_of_a_function_relax_and_tighten():
    """What is noise by itself may be drift, and what is drift may be noise."""
    reads, writes, order = HARMLESS["a read more"], CHANGES["sent twice"][0], swapped(1, 2)
    assert judged(*reads, rules=Rules(reads="drift")).differences
    assert judged(*writes, rules=Rules(writes="noise")).differences == ()
    assert judged(*order, rules=Rules(order="noise")).differences == ()
    for change in ("dropped attribute", "other value"):
        calls = CHANGES[change][0]
        assert judged(*calls, rules=Rules(ignore=("$.Item.name",))).differences == ()
        assert judged(*calls, rules=Rules(ignore=("$.Item.nam",))).differences


def test_the_order_of_writes_of_different_threads_is_chance():
    """Only what one thread or task sends one after the other is in an order."""
    calls = put(id="1"), put(id="2")
    for lanes, count in (((0, 0), 1), ((0, 1), 0)):
        recorded = interactions(*calls, lanes=lanes)
        assert contract_of(recorded, sent(*calls[::-1]), STANDARD).reordered == count


def test_calls_that_ask_the_same_are_answered_in_recorded_order_and_then_again():
    """A poll that is made once more gets the last answer."""
    recorded = interactions(get("1"), get("2"), get("1"))
    matcher = Matcher(recorded)
    taken = [matcher.take(get("1")).sequence for _ in range(3)]
    assert (taken, matcher.take(get("2")).sequence) == ([1, 3, 3], 2)


def test_a_changed_call_is_answered_as_the_one_it_is_most_like():
    """And leaves the others to the calls that ask the same."""
    matcher = Matcher(interactions(*RECORDED))
    assert matcher.take(message("other")).sequence in (3, 4)
    assert matcher.take(message("two")).sequence == 4
    assert matcher.take(get("9")).sequence == 1
    assert [matcher.take(get(id)).sequence for id in "12"] == [1, 5]
    assert matcher.take(AwsCall("s3", "GetObject", "eu", {}, True)) is None
    (nearest, differences), *_ = Matcher(interactions(*RECORDED)).nearest(get("9"))
    assert (nearest.sequence, [d.path for d in differences]) == (1, ["$.Key.id.S"])


def test_a_call_that_is_repeated_with_a_fresh_id_is_answered_as_it_was_when_that_was_repeated():
    """A retry, or a read before and after a write; without one more the last answer comes again."""
    recorded = interactions(get("1"), put(id="1"), get("1"), get("1"))
    matcher = Matcher(recorded)
    calls = (get("9"), put(id="9"), get("9"), get("9"), get("9"))
    assert [matcher.take(call).sequence for call in calls] == [1, 2, 3, 4, 4]


def update(names, values, expression, condition="attribute_exists(pk)"):
    parameters = {
        "TableName": "orders",
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
    return AwsCall("dynamodb", "UpdateItem", "eu", parameters, False)


def test_what_placeholders_of_dynamodb_are_called_does_not_count():
    """What they stand for does."""
    one = update({"#s": "status"}, {":n": {"S": "paid"}}, "SET #s = :n")
    names = {"#st": "status", "#n0": "pk"}
    renamed = update(names, {":new": {"S": "paid"}}, "SET #st = :new", "attribute_exists(#n0)")
    assert key_of(one) == key_of(renamed)
    transaction = AwsCall(
        "dynamodb", "TransactWriteItems", "eu", {"Items": [one.parameters]}, False
    )
    assert key_of(transaction) == key_of(
        replace(transaction, parameters={"Items": [renamed.parameters]})
    )
    for names, value in (({"#s": "state"}, "paid"), ({"#s": "status"}, "open")):
        assert key_of(one) != key_of(update(names, {":n": {"S": value}}, "SET #s = :n"))


def written(expression, names=None, *, number="11.5", ref="1", order=1):
    """A conditional put, and a batch, as somebody writes them; `ref` is drawn anew each time."""
    item = {"id": {"S": "a"}, "total": {"N": number}, "ref": {"S": ref}}
    one = {"TableName": "t", "Item": item, "ConditionExpression": expression}
    rows = [{"PutRequest": {"Item": {"id": {"S": id}}}} for id in "ab"][::order]
    put = one | ({"ExpressionAttributeNames": names} if names else {})
    return [
        AwsCall("dynamodb", "PutItem", "eu", put, False),
        AwsCall("dynamodb", "BatchWriteItem", "eu", {"RequestItems": {"t": rows}}, False),
    ]


@pytest.mark.parametrize(
    ("other", "paths"),
    [
        (written("  size(id) <  5 AND  b= 1 "), []),
        (written("size(#i)<5 AND b=1", {"#i": "id"}), []),
        (written("size(id)<5 AND b=1", number="11.500", order=-1), []),
        (written("size(#i)<5 AND b=1", {"#i": "id"}, ref="2"), ["$.Item.ref.S"]),
        (written("size(id)<5 AND b=1", number="11.51"), ["$.Item.total.N"]),
        (written("size(id)<5 OR b=1"), ["$.ConditionExpression"]),
    ],
)
def test_what_means_the_same_to_dynamodb_is_the_same(other, paths):
    """Beside what is drawn anew as well; where more differs it is told in the program's words."""
    contract = judged(*other, recorded=written("size(id)<5 AND b=1"))
    assert paths == [it.path for it in contract.differences]


def test_the_order_in_which_keys_of_a_batch_are_read_does_not_count():
    """A program takes them out of a set; which ones they are counts."""

    def read(ids):
        keys = {"Keys": [{"id": {"S": id}} for id in ids], "ConsistentRead": True}
        return AwsCall("dynamodb", "BatchGetItem", "eu", {"RequestItems": {"t": keys}}, True)

    assert key_of(read("abc")) == key_of(read("cab"))
    assert key_of(read("abc")) != key_of(read("abd"))


def test_numbers_of_dynamodb_count_to_their_last_digit():
    """It keeps 38 of them; what is no number stays what it is."""
    keys = [
        key_of(written("a", number=number)[0])
        for number in (f"1.{'0' * 36}1", "1.0", "1", "NaN", "x", "")
    ]
    assert keys[1] == keys[2]
    assert len(set(keys)) == 5


def test_what_was_withheld_once_is_not_judged():
    """A version that keeps more finds recordings of one that kept less; what is missing is told."""
    old = AwsCall("lambda", "Invoke", "eu", {"Payload": "replay-withheld"}, False)
    new = replace(old, parameters={"Payload": b'{"amount": 1}'})
    assert judged(new, recorded=(old,)).differences == ()
    assert [it.path for it in judged(old, recorded=(new,)).differences] == ["$.Payload"]
    gone = replace(old, parameters={})
    assert [it.path for it in judged(gone, recorded=(old,)).differences] == ["$.Payload"]


def test_http_is_compared_by_method_url_and_body():
    """Without the order of the query, JSON by value, forms as forms."""
    json_type = (("Content-Type", "application/json"),)
    form_type = (("content-type", "application/x-www-form-urlencoded"),)
    one = HttpCall("POST", "https://a.example/x?b=2&a=1", json_type, b'{"n": 1, "m": [2]}')
    assert key_of(one) == key_of(replace(one, url="https://a.example/x?a=1&b=2"))
    assert key_of(one) == key_of(replace(one, body=b'{"m":[2],"n":1}'))
    assert key_of(one) != key_of(replace(one, method="PUT"))
    changed = replace(one, url="https://a.example/x?a=1&b=3", body=b'{"n": 1, "m": [3]}')
    paths = {difference.path for difference in compare_calls(one, changed)}
    assert paths == {"$.query.b", "$.body.m[0]"}
    form = HttpCall("POST", "https://a.example/", form_type, b"a=1&b=2")
    assert key_of(form) == key_of(replace(form, body=b"b=2&a=1"))
    assert [d.path for d in compare_calls(form, replace(form, body=b"a=1"))] == ["$.body.b"]


@pytest.mark.parametrize(
    ("headers", "paths"),
    [
        ((("IDEMPOTENCY-KEY", "k-1"), ("X-Api-Key", "replay-withheld")), set()),
        ((("Idempotency-Key", "k-2"), ("X-Api-Key", "replay-withheld")), {"idempotency-key"}),
        ((("Idempotency-Key", "k-1"),), {"x-api-key"}),
        (
            (
                *(("Idempotency-Key", "k-1"), ("X-Api-Key", "replay-withheld"), ("b3", "1")),
                *(("Accept", "*/*"), ("x-datadog-trace-id", "7")),
            ),
            set(),
        ),
    ],
)
def test_headers_that_a_handler_sets_are_judged(headers, paths):
    """They do not say which call it is; what clients and tracers add is none of its behaviour."""
    sets = (("Idempotency-Key", "k-1"), ("X-Api-Key", "replay-withheld"))
    one = HttpCall("POST", "https://a.example/", sets, b"{}")
    other = replace(one, headers=headers)
    assert key_of(one) == key_of(other)
    contract = judged(other, recorded=(one,))
    assert {f"$.headers['{name}']" for name in paths} == {it.path for it in contract.differences}
    relaxed = Rules(ignore=("$.headers['idempotency-key']", "$.headers['x-api-key']"))
    assert judged(other, recorded=(one,), rules=relaxed).differences == ()


def test_an_answer_gives_back_what_is_drawn_anew():
    """The id of now in the place of the recorded one; nothing but what is drawn, no checksum."""
    then, now = "5d9a7f0e-1111-4222-8333-abcdefabcdef", "0b0f6ac2-7e4c-4c41-9d0c-3f1d8f2f6a01"
    echo = Echo()
    echo.learn(put(id=then, name="recorded name x"), put(id=now, name="replayed name y"))
    headers = (("x-amz-crc32", "1"), ("Location", f"/orders/{then}"), ("ETag", "a"))
    answer = Response(200, headers=headers, body=f'{{"id": "{then}", "n": 1}}'.encode())
    given = echo.applied(answer)
    assert given.body == f'{{"id": "{now}", "n": 1}}'.encode()
    assert given.headers == (("Location", f"/orders/{now}"), ("ETag", "a"))
    other = Response(200, headers=(("x-amz-crc32", "1"),), body=b"recorded name x")
    assert echo.applied(other) is other


def test_boundaries_of_multipart_bodies_do_not_count():
    """They are drawn anew for each request."""

    def upload(boundary, value):
        content_type = (("Content-Type", f"multipart/form-data; boundary={boundary}"),)
        body = f'--{boundary}\r\nname="a"\r\n\r\n{value}\r\n--{boundary}--\r\n'
        return HttpCall("POST", "https://a.example/", content_type, body.encode())

    assert key_of(upload("ab12", "1")) == key_of(upload("cd34", "1"))
    assert key_of(upload("ab12", "1")) != key_of(upload("ab12", "2"))


def test_a_write_of_another_method_or_host_stands_for_the_one_it_was():
    """The path tells which; a read is not answered from elsewhere."""
    recorded = interactions(HttpCall("PUT", "https://a.example/items/7", (), b"x"))
    patch = HttpCall("PATCH", "https://a.example/items/7", (), b"x")
    other = HttpCall("PUT", "https://b.example/items/7", (), b"x")
    for call, path in ((patch, "$.method"), (other, "$.url")):
        assert Matcher(recorded).take(call).sequence == 1
        contract = contract_of(recorded, sent(call), STANDARD)
        assert [(d.call[:5], d.path) for d in contract.differences] == [("1 PUT", path)]
    read = interactions(HttpCall("GET", "https://a.example/items/7"))
    assert Matcher(read).take(HttpCall("GET", "https://b.example/items/7")) is None


def test_sets_of_dynamodb_have_no_order_and_large_bodies_count_by_digest():
    """What is equal is equal, whatever the hash seed and the cap have made of it."""
    one, other = (put(id="1") for _ in range(2))
    one.parameters["Item"]["tags"] = {"SS": ["b", "a"]}
    other.parameters["Item"]["tags"] = {"SS": ["a", "b"]}
    assert (key_of(one), ()) == (key_of(other), compare_calls(one, other))
    kept = AwsCall("s3", "PutObject", None, {"Body": Truncated(9, "ab", "head")}, False)
    assert key_of(kept) == key_of(replace(kept, parameters={"Body": Truncated(9, "ab", "")}))
    differences = compare_calls(kept, replace(kept, parameters={"Body": Truncated(9, "cd", "")}))
    assert [d.path for d in differences] == ["$.Body.digest"]


calls = st.sampled_from([*RECORDED, put(id="9"), get("9"), message("nine", "z")])


@given(st.lists(calls, max_size=8), st.lists(calls, max_size=8))
def test_every_call_is_accounted_for_once(then, now):
    """Matched, changed, unused, extra: recorded and replayed calls all have their place."""
    contract = contract_of(interactions(*then), sent(*now), STANDARD)
    paired = contract.matched + contract.changed
    assert (len(then), len(now)) == (paired + contract.unused, paired + contract.extra)
    same = contract_of(interactions(*then), sent(*then), STANDARD)
    assert (same.matched, same.differences, same.excused) == (len(then), (), ())
    for difference in contract.differences:
        assert difference.recorded is not ABSENT or difference.replayed is not ABSENT
