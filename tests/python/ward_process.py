"""A real ward server as its administrator and its clerk see it: a process and a console."""

import http.cookiejar
import pathlib
import re
import subprocess
import urllib.parse
import urllib.request

PASSWORD = "mật khẩu đủ dài 2026"


class WardProcess:
    """Runs `gandan-server serve` on free ports of the loopback until it is closed."""

    def __init__(self, program: str, data: pathlib.Path):
        self.program = program
        self.data = str(data)
        self._command("init", "--data", self.data, "--ward", "26995")
        self._command(
            "staff", "add", "--data", self.data, "--login", "triage", "--role", "triage",
            standard_input=PASSWORD + "\n",
        )
        self.process = subprocess.Popen(
            [program, "serve", "--data", self.data, "--quic", "127.0.0.1:0", "--http", "127.0.0.1:0"],
            stdout=subprocess.PIPE,
            text=True,
        )
        ready = self.process.stdout.readline()
        assert ready.startswith("ready "), ready
        self.console = "http://" + re.search(r"http=(\S+)", ready).group(1)
        self._browser = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )

    def invite(self, officer: str, role: str = "officer") -> str:
        return self._command("invite", "--data", self.data, "--officer", officer, "--role", role).strip()

    def sign_in(self) -> None:
        self._post("/login", login="triage", password=PASSWORD)

    def accept(self, case: str) -> None:
        self._post(f"/cases/{case}/accept")

    def answer(self, case: str, words: str) -> None:
        self._post(f"/cases/{case}/answer", answer=words)

    def close(self) -> None:
        self.process.terminate()
        assert self.process.wait(timeout=30) == 0

    def _post(self, path: str, **form: str) -> None:
        request = urllib.request.Request(
            self.console + path,
            data=urllib.parse.urlencode(form).encode(),
            headers={"Origin": self.console},
        )
        with self._browser.open(request) as response:
            assert response.status == 200

    def _command(self, *arguments: str, standard_input: str = "") -> str:
        done = subprocess.run(
            [self.program, *arguments], input=standard_input, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
