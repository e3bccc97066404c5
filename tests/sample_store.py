"""Makes the stores in fixtures/stores: one of each revision, and one that so far holds only `part`.

    python tests/sample_store.py FOLDER

A handler is captured under AWS's runtime client; the last invocation is killed. Beside it lie three
recordings of one sandbox, with outbound calls. A committed store is never made again: when HEAD
moves, the new revision's file is added beside the others.
"""

import json
import shutil
import sys
import time
from contextlib import closing
from pathlib import Path

from calls import capture_sandbox, of_one_sandbox
from databases import query
from runtime_api import RuntimeApi, RuntimeProcess

from replay.store.revision import HEAD
from replay.store.store import Store

APP = """
import time
from replay import capture

@capture
def handler(event, context):
    match event.get("do"):
        case "bytes":
            return b"\\x00\\xff\\xfe"
        case "raise":
            raise KeyError(event["order"])
        case "read":
            return [context.get_remaining_time_in_millis() > 0 for _ in range(3)]
        case "hang":
            time.sleep(60)
    return event
"""
CLIENT = {"client": {"app_title": "shop"}, "custom": {"cart": "7"}, "env": {"locale": "de"}}
IDENTITY = {"cognitoIdentityId": "id-1", "cognitoIdentityPoolId": "pool-1"}
NON_ASCII = {"name": "Zoë 東京", "lone": "\ud800", "emoji": "🫖"}


def make_store(folder: Path) -> Path:
    """Return a store made in `folder` of which nothing has been taken in yet: 12 recordings."""
    (folder / "app.py").write_text(APP)
    keep = {"REPLAY_ENV": "AWS_*,TZ", "PYTHONPATH": ""}
    process = RuntimeProcess(RuntimeApi(), folder, "app.handler", keep)
    process.invoke({"order": "o-1001"})
    process.invoke({"do": "bytes"})
    process.invoke({"do": "raise", "order": "o-1002"})
    process.invoke(NON_ASCII)
    process.invoke(b'{"n": 123456789012345678901234567890, "f": 1e400, "d": 0.1}')
    process.invoke(
        {"do": "read"},
        headers={
            "Lambda-Runtime-Client-Context": json.dumps(CLIENT),
            "Lambda-Runtime-Cognito-Identity": json.dumps(IDENTITY),
        },
    )
    process.invoke({"$replay:int": "0x1"})
    process.invoke({"deep": [[[None, True, False, -1, 2**53]]]})
    process.send({"do": "hang", "order": "o-1003"})
    time.sleep(0.5)
    process.end()
    store = folder / "replay.db"
    capture_sandbox(store, *of_one_sandbox())
    query(store, "PRAGMA wal_checkpoint(TRUNCATE)")
    return store


def main(folder: Path) -> None:
    """Make both stores anew in `folder`."""
    folder.mkdir(parents=True)
    store = make_store(folder)
    shutil.copy(store, folder / "part-only.sqlite")
    with closing(Store.open(str(store))):
        pass
    store.rename(folder / f"{HEAD}.sqlite")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
