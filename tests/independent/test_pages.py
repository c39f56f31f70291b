"""Pages as a person sees them: headless Chromium renders them, its tree says what is there."""

import shutil
import subprocess


def rendered(url: str, folder) -> str:
    """The page's tree after its scripts ran."""
    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing"
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={folder}", "--virtual-time-budget=15000", "--dump-dom", url,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout


def test_swagger_ui_opens_collapsed_with_a_filter_and_a_way_to_authorize(server, tmp_path):
    page = rendered(f"{server.url}/swagger-ui/", tmp_path)
    assert "Authorize" in page
    assert "load management" in page and "Filter by tag" in page
    assert "/v1.1/load_management/groups" not in page, "operations are shown when their tag is opened"
    assert "Failed to load" not in page


def test_the_link_of_an_e_mail_opens_a_page_that_asks_for_a_password(server, tmp_path):
    page = rendered(f"{server.url}/portal/invitations/a-secret?organization=650000000000000000000001", tmp_path)
    assert 'type="password"' in page and 'autocomplete="new-password"' in page
