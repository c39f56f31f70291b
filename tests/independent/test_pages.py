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


def test_swagger_ui_shows_the_operations_and_a_way_to_authorize(server, tmp_path):
    page = rendered(f"{server.url}/swagger-ui/", tmp_path)
    assert "Authorize" in page
    assert "/v1.1/load_management/groups" in page
    assert "Failed to load" not in page
