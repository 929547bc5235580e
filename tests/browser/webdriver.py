"""A browser, driven by the W3C WebDriver protocol: Debian's chromium and its driver, and nothing else.

Source: W3C WebDriver, chapters 8 to 17. Only what the tests and the screenshots need is here.
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

import longshore

# The member under which WebDriver names an element.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class WebDriverError(AssertionError):
    pass


def programs():
    """(chromium, chromedriver), or None where one is missing."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    return found if all(found) else None


class Browser:
    """One Chromium with a profile of its own."""

    def __init__(self, width=1280, height=900):
        chromium, driver = programs()
        port = longshore.free_port()
        self.profile = tempfile.mkdtemp(prefix="longshore-browser-")
        self.process = subprocess.Popen(
            [driver, f"--port={port}", "--log-level=SEVERE"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        self.base = f"http://127.0.0.1:{port}"
        longshore.wait_until(self._is_ready, "chromedriver is ready", every=0.02)
        arguments = [
            "--headless=new", "--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--hide-scrollbars", "--force-color-profile=srgb",
            f"--user-data-dir={self.profile}", f"--window-size={width},{height}",
        ]
        options = {"binary": chromium, "args": arguments}
        capabilities = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
        session = self._call("POST", "/session", {"capabilities": capabilities})
        self.base += f"/session/{session['sessionId']}"

    def _is_ready(self):
        try:
            return self._call("GET", "/status")["ready"]
        except OSError:
            return False

    def _call(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else (b"{}" if method == "POST" else None)
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise WebDriverError(f"{value['error']}: {value['message'].splitlines()[0]}") from None

    def close(self):
        try:
            self._call("DELETE", "")
        except (OSError, WebDriverError):
            pass
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def open(self, url):
        self._call("POST", "/url", {"url": url})

    @property
    def url(self):
        return self._call("GET", "/url")

    def run(self, script, *arguments):
        """The value of a script's body in the page."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script, *arguments):
        """The value with which a script's body calls its last argument."""
        return self._call("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def all(self, selector):
        found = self._call("POST", "/elements", {"using": "css selector", "value": selector})
        return [element[ELEMENT] for element in found]

    def one(self, selector):
        found = self.all(selector)
        if len(found) != 1:
            raise WebDriverError(f"{len(found)} elements are `{selector}` at {self.url}:\n{self.text('main')[:2000]}")
        return found[0]

    def text(self, selector):
        """What a person reads there."""
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText).join('\\n')", selector)

    def type(self, selector, text):
        element = self.one(selector)
        self._call("POST", f"/element/{element}/clear", {})
        self._call("POST", f"/element/{element}/value", {"text": text})

    def click(self, selector):
        self._call("POST", f"/element/{self.one(selector)}/click", {})

    def follow(self, words):
        """Clicks the one link or button that reads so, and waits for the page that follows."""
        # The driver answers a click before the page that follows has begun: the old one is known by a mark.
        self.run("window.isLeft = true")
        while self.run("return window.isLeft === true"):
            element = self._named(words)
            try:
                self._call("POST", f"/element/{element}/click", {})
                break
            except WebDriverError as error:
                # A page that changes by itself has taken the element away between the look and the click, or the page
                # that follows has come before the driver was done with the click.
                if not str(error).startswith("stale element"):
                    raise
        longshore.wait_until(
            lambda: self.run("return !window.isLeft && document.readyState === 'complete'"), f"a page follows `{words}`")

    def _named(self, words):
        element = self.run(
            "const named = [...document.querySelectorAll('main a, main button')].filter("
            "e => e.innerText.trim() === arguments[0]); return named.length === 1 ? named[0] : named.length", words,
        )
        if not isinstance(element, dict):
            raise WebDriverError(f"{element} links or buttons read `{words}` at {self.url}:\n{self.text('main')[:2000]}")
        return element[ELEMENT]

    def resize(self, width, height):
        self._call("POST", "/window/rect", {"width": width, "height": height})

    def cookies(self):
        return {cookie["name"]: cookie for cookie in self._call("GET", "/cookie")}

    def screenshot(self):
        """The whole page as a PNG."""
        size = self.command("Page.getLayoutMetrics", {})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        parameters = {"format": "png", "captureBeyondViewport": True, "clip": clip}
        return base64.b64decode(self.command("Page.captureScreenshot", parameters)["data"])

    def command(self, name, parameters):
        """A command of Chromium's own protocol."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})
