"""The entry for capture without a change of code: `replay.recorder.handler.handler`.

Set as the function's handler, with the real one in `REPLAY_HANDLER`. The app is imported when the
runtime asks for `handler`, by the runtime client's own function where there is one, so that an app
that cannot be imported is reported under its own module's name.
"""

import importlib
import os
import sys
from typing import Any

from replay.errors import SettingsError
from replay.recorder.decorator import capture
from replay.recorder.importing import Import


def __getattr__(name: str) -> Any:
    if name != "handler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    app_handler = os.environ["_HANDLER"] = _handler_name()  # what the app would find there
    with Import():
        app = _load(app_handler)
    handler = globals()["handler"] = capture(app)
    return handler


def _handler_name() -> str:
    name = os.environ.get("REPLAY_HANDLER", "")
    if not name or name == f"{__name__}.handler":
        raise SettingsError(
            "REPLAY_HANDLER does not name the function's handler",
            "set REPLAY_HANDLER to what the handler setting was, for example app.handler",
        )
    return name


def _load(name: str) -> Any:
    bootstrap = sys.modules.get("awslambdaric.bootstrap")
    if bootstrap is not None and hasattr(bootstrap, "_get_handler"):
        return bootstrap._get_handler(name)  # noqa: SLF001 - its errors name the app's module
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module.replace("/", ".")), attribute)
