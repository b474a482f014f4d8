"""A browser without a window, driven over the DevTools protocol, for tests of the HTML pack's script and layout."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

BROWSER = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
        if (path := shutil.which(name))
    ),
    None,
)


class Browser:
    """One tab; ``events`` keeps what the browser reported (console, requests)."""

    def __init__(self, folder: Path) -> None:
        assert BROWSER is not None
        options = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--remote-allow-origins=*",
            "--remote-debugging-port=0",
        ]
        self._process = subprocess.Popen(
            [BROWSER, *options, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.events: list[dict[str, Any]] = []
        self._number = 0
        self._socket = self._connected(folder / "DevToolsActivePort")
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def _connected(self, port_file: Path) -> Any:
        import websocket

        for _ in range(200):
            if port_file.is_file() and (lines := port_file.read_text().split()):
                tabs = json.load(urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json", timeout=10))
                page = next(tab for tab in tabs if tab["type"] == "page")
                return websocket.create_connection(page["webSocketDebuggerUrl"])
            time.sleep(0.1)
        raise TimeoutError("the browser did not start")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.wait(timeout=10)

    def call(self, method: str, **params: Any) -> Any:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def evaluate(self, expression: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def open(self, path: Path, *, width: int, height: int = 900, scheme: str = "light") -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.call(
            "Emulation.setEmulatedMedia",
            media="",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        self.call("Page.navigate", url=path.as_uri())
        while self.evaluate("document.readyState") != "complete":
            time.sleep(0.05)
        self.evaluate("document.fonts.ready.then(() => true)")

    def press(self, key: str, code: int) -> None:
        text = {"text": "\r"} if key == "Enter" else {}  # without it a form is not submitted
        self.call(
            "Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code, **text
        )
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    def troubles(self) -> list[str]:
        """Console messages, exceptions and requests that left the page."""
        told = [
            json.dumps(event["params"])[:300]
            for event in self.events
            if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        ]
        asked = [
            event["params"]["request"]["url"]
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return told + [url[:200] for url in asked if not url.startswith(("file:", "data:", "about:"))]
