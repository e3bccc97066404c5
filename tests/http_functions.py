"""Handlers over an HTTP service, through each client: `client` and `do` of the event say which."""

import asyncio
import hashlib
import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request

import aiohttp
import httpx
import requests
import urllib3

from replay import capture

URL = os.environ["SERVICE_URL"]
NOBODY = os.environ["NOBODY_URL"]


def patience_s(url):
    """How long to wait: not long for what never comes."""
    return 0.3 if url.endswith("/slow") else 20


PATHS = {
    "json": ("GET", "/json?b=2&a=1"),
    "post": ("POST", "/echo"),
    "form": ("POST", "/form"),
    "binary": ("GET", "/binary"),
    "chunked": ("GET", "/chunked"),
    "gzip": ("GET", "/gzip"),
    "redirect": ("GET", "/redirect/2"),
    "missing": ("GET", "/status/404"),
    "broken": ("GET", "/status/503"),
    "empty": ("GET", "/empty"),
    "slow": ("GET", "/slow"),
    "truncated": ("GET", "/truncated"),
    "hangup": ("GET", "/hangup"),
    "refused": ("GET", ""),
}


def told(status, body):
    digest = hashlib.sha256(body).hexdigest()
    return {
        "status": status,
        "size": len(body),
        "sha256": digest,
        "head": body[:60].decode("latin-1"),
    }


def arguments(do):
    method, path = PATHS[do]
    url = NOBODY if do == "refused" else URL + path
    headers, body = {}, None
    if do == "post":
        headers, body = {"Content-Type": "application/json"}, json.dumps({"n": [1, 2]}).encode()
    if do == "form":
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urllib.parse.urlencode({"a": "1", "b": "ü"}).encode()
    return method, url, headers, body


def through_http_client(method, url, headers, body):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=patience_s(url))
    try:
        connection.request(method, f"{parts.path}?{parts.query}", body, headers)
        response = connection.getresponse()
        return told(response.status, response.read())
    finally:
        connection.close()


def through_urllib(method, url, headers, body):
    request = urllib.request.Request(url, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=patience_s(url)) as response:
        return told(response.status, response.read())


def through_urllib3(method, url, headers, body):
    retries = urllib3.Retry(2, backoff_factor=0.05, status_forcelist=[503], raise_on_status=False)
    pool = urllib3.PoolManager(retries=retries, timeout=patience_s(url))
    response = pool.request(method, url, body=body, headers=headers)
    return told(response.status, response.data)


def through_requests(method, url, headers, body):
    with requests.Session() as session:
        response = session.request(
            method, url, data=body, headers=headers, timeout=patience_s(url), stream=True
        )
        return told(response.status_code, b"".join(response.iter_content(1000)))


def through_httpx(method, url, headers, body):
    with httpx.Client(timeout=patience_s(url), follow_redirects=True) as client:
        response = client.request(method, url, content=body, headers=headers)
        return told(response.status_code, response.content)


async def async_httpx(method, url, headers, body):
    async with httpx.AsyncClient(timeout=patience_s(url), follow_redirects=True) as client:
        response = await client.request(method, url, content=body, headers=headers)
        return told(response.status_code, response.content)


async def async_aiohttp(method, url, headers, body):
    timeout = aiohttp.ClientTimeout(total=patience_s(url))
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.request(method, url, data=body, headers=headers) as response,
    ):
        return told(response.status, await response.read())


def through_async_httpx(*call):
    return asyncio.run(async_httpx(*call))


def through_aiohttp(*call):
    return asyncio.run(async_aiohttp(*call))


def gathered(event):
    """Twenty at once, of both async clients."""

    async def all_of_them():
        url = f"{URL}/json?n="
        calls = [async_aiohttp("GET", f"{url}{n}", {}, None) for n in range(10)]
        calls += [async_httpx("GET", f"{url}{n}", {}, None) for n in range(10, 20)]
        return await asyncio.gather(*calls)

    return asyncio.run(all_of_them())


def outcome(client, do):
    try:
        return globals()[f"through_{client}"](*arguments(do))
    except Exception as error:
        return [type(error).__module__, type(error).__qualname__, str(error)]


@capture
def handler(event, context):
    if event["client"] == "gathered":
        return gathered(event)
    return {do: outcome(event["client"], do) for do in event.get("do", PATHS)}
