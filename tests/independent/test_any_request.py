"""Requests that nobody would think of: schemathesis makes them from the OpenAPI document."""

import os
import subprocess
import sys

SECONDS = os.environ.get("EVENWATT_FUZZ_SECONDS", "60")


def test_no_request_breaks_the_server_or_gets_an_undocumented_shape(own_server):
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{own_server.url}/openapi.json",
        "--header", f"Authorization: Bearer {own_server.api_key}",
        "--checks", "not_a_server_error,response_schema_conformance,status_code_conformance",
        # These two can lock out the key that the run itself uses.
        "--exclude-operation-id", "update_api_key",
        "--exclude-operation-id", "rotate_api_key",
        "--max-time", SECONDS,
        "--continue-on-failure",
        "--request-timeout", "10",
        "--suppress-health-check", "all",
        "--seed", "1",
        "--no-color",
    ]
    run = subprocess.run(command, cwd=own_server.folder, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-5_000:]
