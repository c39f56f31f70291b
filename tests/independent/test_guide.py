"""docs/INTEGRATING.md as somebody follows it who copies every snippet."""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import REPOSITORY, binary, start, stop

GUIDE = (REPOSITORY / "docs" / "INTEGRATING.md").read_text()
CHARGERS = re.search(r"<!-- the chargers -->\n```sh\n(.*?)```", GUIDE, re.S)
SNIPPETS = re.findall(r"^```(sh|js|python)\n(.*?)^```", GUIDE.replace(CHARGERS.group(), ""), re.S | re.M)
COMMANDS = {
    "sh": ["bash", "-euo", "pipefail", "program"],
    "js": ["node", "program.mjs"],
    "python": [sys.executable, "program"],
}


def follow(language, folder):
    """Runs all snippets of a language as one program, with the chargers of the second terminal; gives what it printed."""
    folder.mkdir()
    command = COMMANDS[language]
    program = "\n".join(text for name, text in SNIPPETS if name == language)
    (folder / command[-1]).write_text(program)
    process, server = start(folder)
    environment = {
        **os.environ,
        "EVENWATT_URL": server.url,
        "EVENWATT_API_KEY": server.api_key,
        "PATH": f"{binary().parent}:{os.environ['PATH']}",
    }
    chargers = None
    options = {"cwd": folder, "env": environment, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    followed = subprocess.Popen(command, **options)
    try:
        deadline = time.monotonic() + 150
        while followed.poll() is None:
            assert time.monotonic() < deadline, "the guide takes too long"
            if chargers is None and (folder / "endpoints.txt").exists():
                chargers = subprocess.Popen(["sh", "-c", f"exec {CHARGERS.group(1)}"], **options)
            time.sleep(0.1)
        said = followed.stdout.read()
        assert followed.returncode == 0, said
        return said
    finally:
        for child in filter(None, [chargers, followed]):
            child.kill()
        stop(process)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What each language's program printed; they run at the same time."""
    folder = tmp_path_factory.mktemp("guide")
    with ThreadPoolExecutor() as pool:
        running = {language: pool.submit(follow, language, folder / language) for language in COMMANDS}
        return {language: result.result() for language, result in running.items()}


def test_curl(said):
    granted = [float(kilowatts) for kilowatts in re.findall(r'"granted":([\d.]+)', said["sh"])]
    assert len(granted) == 2 and 5 < granted[0] <= 10 and 0 < granted[1] <= 5, said["sh"]
    assert re.search(r'[2-9] "type":"session.started"', said["sh"]), said["sh"]
    assert '"type":"load_management.group.plan_settled"' in said["sh"]


@pytest.mark.parametrize("language", ["js", "python"])
def test_programs(said, language):
    granted = re.search(r"granted ([\d.]+) kW", said[language])
    assert granted and 0 < float(granted[1]) <= 5, said[language]
    assert len(re.findall(r"^[\d.]+ [\d.]+ [\d.]+ kW: ", said[language], re.M)) == 2, said[language]
    heard = r"^session.started [0-9a-f]{24}$" if language == "js" else r"^session.metrics \d+ Wh$"
    assert re.search(heard, said[language], re.M), said[language]
