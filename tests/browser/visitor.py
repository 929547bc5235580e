"""A browser, a server for it to look at, and the few moves that all tests of the console share."""

import os
import pathlib
import urllib.error
import urllib.request

import pytest

import longshore
import story
import webdriver

AXE = pathlib.Path(os.environ.get("LONGSHORE_AXE", longshore.REPOSITORY / ".longshore/axe/node_modules/axe-core/axe.min.js"))


@pytest.fixture(scope="module")
def browser():
    if not webdriver.programs():
        pytest.skip("there is no chromium with its driver here")
    made = webdriver.Browser()
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(start_dev):
    """A server of its own with three hosts and an application."""
    dev = start_dev()
    dev.make_instance_profile()
    dev.hosts = story.set_up(dev, "Story")
    return dev


@pytest.fixture
def signed_in(browser, site):
    """A browser whose user is the root."""
    if not browser.text(".who"):
        sign_in(browser, site, *site.longshore.root_credentials())
    return browser


def sign_in(browser, site, access_key, secret):
    browser.open(f"{site.endpoint}/-/console/sign-in")
    browser.type("#access-key", access_key)
    browser.type("#secret", secret)
    browser.follow("Sign in")


def waits(browser, selector, words, seconds=60):
    """Waits until a part of the page reads so, without loading the page anew."""
    return longshore.wait_until(lambda: words in browser.text(selector), f"`{selector}` reads `{words}`", seconds)


def violations(browser):
    """What keeps people from using the page as it is, as far as axe-core finds it."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run `cargo xtask setup` where there is npm")
    # The page's own policy lets no script in; the driver's way around it is not the page's.
    browser.run(AXE.read_text())
    found = browser.run_async(
        "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then(r => "
        "done(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).slice(0, 3).join(', '))))"
    )
    wide = browser.run("return document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return found + ["wider than the window"] * wide


def page(site, path, headers=(), data=None, method=None):
    """(status, headers, body) of a request without a browser."""
    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    request = urllib.request.Request(f"{site.endpoint}{path}", data, dict(headers), method=method)
    try:
        answer = urllib.request.build_opener(NoRedirect).open(request, timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.headers, answer.read().decode()
