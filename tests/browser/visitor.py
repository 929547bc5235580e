"""A browser, a server for it to look at, and the few moves that all tests of the console share."""

import urllib.error
import urllib.request

import pytest

import longshore
import story
import webdriver


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
