"""Photographs the console for `docs/images`: `cargo xtask screenshots` runs this."""

import pytest

import longshore
import story
import webdriver
from visitor import sign_in, waits

IMAGES = longshore.REPOSITORY / "docs/images"


@pytest.fixture
def site(start_dev):
    dev = start_dev()
    dev.make_instance_profile()
    dev.hosts = story.set_up(dev, "DemoApp", hosts=7)
    return dev


def end(site, *arguments, **options):
    deployment = story.deploy(site, "DemoApp", *arguments, **options)
    site.wait_for_end(deployment)
    return deployment


def test_photographs(site):
    good = end(site, "Staging", "demo-app/1.0.zip", "1.0")
    end(site, "Production", "demo-app/1.0.zip", "1.0")
    failed = end(site, "Production", "demo-app/2.0.zip", "2.0")
    rolled_out = end(site, "Production", "demo-app/3.0.zip", "3.0", pause=0.3)
    browser = webdriver.Browser(width=1440, height=900)
    try:
        sign_in(browser, site, *site.longshore.root_credentials())
        running = story.deploy(site, "DemoApp", "Production", "demo-app/4.0.zip", "4.0", pause=2)
        failed_host = [name for name, target in site.targets(failed).items() if target["status"] == "Failed"][0]
        pages = {
            "deployment-running": f"/deployments/{running}",
            "overview": "",
            "application": "/applications/DemoApp",
            "group": "/applications/DemoApp/groups/Production",
            "deployment": f"/deployments/{rolled_out}",
            "deployment-failed": f"/deployments/{failed}",
            "target": f"/deployments/{failed}/targets/{failed_host}",
            "instances": "/instances",
            "audit": "/audit",
            "plan": f"/deployments/{good}/retry",
        }
        browser.open(f"{site.endpoint}/-/console/deployments/{running}")
        # The second host has begun: the picture shows what is done, what runs and what waits.
        waits(browser, ".grid", "Succeeded")
        longshore.wait_until(lambda: browser.all(".grid tr:nth-child(2) td.run"), "the second host has begun")
        for theme in ("light", "dark"):
            for name, path in pages.items():
                photograph(browser, site, name, path, theme)
        browser.resize(420, 900)
        photograph(browser, site, "deployment-narrow", f"/deployments/{failed}", "light")
        browser.run("document.querySelector('form[action$=\"sign-out\"]').requestSubmit()")
        browser.resize(1440, 900)
        longshore.wait_until(lambda: "sign-in" in browser.url, "signed out")
        for theme in ("light", "dark"):
            photograph(browser, site, "sign-in", "/sign-in", theme)
    finally:
        browser.close()


def photograph(browser, site, name, path, theme):
    browser.open(f"{site.endpoint}/-/console{path}")
    browser.run(f"document.documentElement.dataset.theme = '{theme}'")
    # Opened like this, the driver leaves the focus in a field, and a caret is no news.
    browser.run("document.activeElement && document.activeElement.blur()")
    IMAGES.mkdir(parents=True, exist_ok=True)
    (IMAGES / f"{name}-{theme}.png").write_bytes(browser.screenshot())
