"""Logging in by OpenID Connect at a provider that others wrote: oidc-provider-mock, on Authlib. It signs with RS256, knows its clients, their
secrets and addresses, and asks for a nonce."""

import conftest
import pytest
import requests
from oidc_provider_mock import User, run_server_in_thread

# The provider uses an older way of Authlib.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

# How browsers reach the panel; the test goes to the server itself instead.
PANEL = "http://panel.example.com"
BACK = f"{PANEL}/v1.1/account/oidc/mock/callback"

PEOPLE = [
    User(sub="1-grace", claims={"email": "Grace@Example.com", "email_verified": True, "name": "Grace Hopper"}),
    User(sub="2-ada", claims={"email": "ada@example.com", "email_verified": False}),
    User(sub="3-mallory", claims={"email": "mallory@example.com", "email_verified": True}),
]


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    """A server that is a client of the provider, with two operators who were invited."""
    with run_server_in_thread(require_client_registration=True, require_nonce=True, user_claims=PEOPLE) as provider:
        issuer = f"http://localhost:{provider.server_port}"
        registered = requests.post(f"{issuer}/oauth2/clients", json={"redirect_uris": [BACK]}).json()
        process, server = conftest.start(
            tmp_path_factory.mktemp("server"),
            EVENWATT_PANEL_URL=f"{PANEL}/panel",
            EVENWATT_OIDC_MOCK_NAME="The other one",
            EVENWATT_OIDC_MOCK_ISSUER=issuer,
            EVENWATT_OIDC_MOCK_CLIENT_ID=registered["client_id"],
            EVENWATT_OIDC_MOCK_CLIENT_SECRET=registered["client_secret"],
        )
        with server.client() as client:
            for email in ["grace@example.com", "ada@example.com"]:
                invited = client.post(f"{server.api}/operators", json={"email": email, "role": "Operator"})
                assert invited.status_code == 201, invited.text
        yield server
        conftest.stop(process)


def to_the_provider(server) -> tuple[requests.Session, str]:
    browser = requests.Session()
    begun = browser.get(f"{server.api}/account/oidc/mock", allow_redirects=False)
    assert begun.status_code == 302
    return browser, begun.headers["location"]


def back(server, browser: requests.Session, location: str) -> str:
    assert location.startswith(f"{BACK}?"), location
    answer = browser.get(location.replace(PANEL, server.url), allow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def log_in(server, person: str) -> tuple[requests.Session, str]:
    browser, page = to_the_provider(server)
    approved = requests.post(page, data={"sub": person}, allow_redirects=False)
    return browser, back(server, browser, approved.headers["location"])


def test_the_page_lists_the_provider(panel):
    login = requests.get(f"{panel.api}/pages/config").json()["result"]["login"]
    button = {"id": "mock", "name": "The other one", "url": "/v1.1/account/oidc/mock"}
    assert login == {"password": True, "oidc": [button]}


def test_somebody_who_was_invited_comes_in_as_often_as_they_like(panel):
    for _ in range(2):
        browser, led_to = log_in(panel, "1-grace")
        assert led_to == "/panel"
        account = browser.get(f"{panel.api}/account").json()["result"]
        assert (account["operator"]["email"], account["operator"]["name"]) == ("grace@example.com", "Grace Hopper")
        assert browser.get(f"{panel.api}/locations").status_code == 200


@pytest.mark.parametrize(
    "person, reason",
    [("2-ada", "oidc_email_unverified"), ("3-mallory", "oidc_not_invited"), ("grace@example.com", "oidc_email_unverified")],
)
def test_nobody_else_comes_in(panel, person, reason):
    browser, led_to = log_in(panel, person)
    assert led_to == f"/panel?login_error={reason}"
    assert browser.get(f"{panel.api}/account").status_code == 401


def test_a_code_works_in_the_browser_that_began_and_once(panel):
    hers, page = to_the_provider(panel)
    location = requests.post(page, data={"sub": "1-grace"}, allow_redirects=False).headers["location"]
    his, other = to_the_provider(panel)
    assert back(panel, his, location) == "/panel?login_error=oidc_expired", "it is the answer to another login"
    assert back(panel, requests.Session(), location) == "/panel?login_error=oidc_expired"
    assert back(panel, hers, location) == "/panel"
    assert back(panel, hers, location) == "/panel?login_error=oidc_expired"
    # In a login of his own, the code is of another nonce: this provider does not look at PKCE.
    location = requests.post(page, data={"sub": "1-grace"}, allow_redirects=False).headers["location"]
    state = requests.utils.urlparse(other).query.split("state=")[1].split("&")[0]
    code = location.split("code=")[1].split("&")[0]
    assert back(panel, his, f"{BACK}?code={code}&state={state}") == "/panel?login_error=oidc_invalid"


def test_who_does_not_want_to_is_not_logged_in(panel):
    browser, page = to_the_provider(panel)
    denied = requests.post(page, data={"action": "deny"}, allow_redirects=False)
    assert back(panel, browser, denied.headers["location"]).startswith("/panel?login_error=")
    assert browser.get(f"{panel.api}/account").status_code == 401
