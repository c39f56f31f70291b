"""An eDRV customer's JavaScript, with only the base URL and the key changed."""

import os
import pathlib
import subprocess


def test_edrvs_samples_work_unchanged(server):
    script = pathlib.Path(__file__).parent / "edrv_samples.mjs"
    environment = {**os.environ, "EVENWATT_URL": server.url, "EVENWATT_API_KEY": server.api_key}
    done = subprocess.run(["node", str(script)], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "work unchanged" in done.stdout
