"""A real server process, measured, and a real phone that must be able to work whatever happens."""

import json
import os
import pathlib
import re
import subprocess
import threading
import time

STORE_KEY = "0123456789abcdef" * 4


class Town:
    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.data = str(folder / "ward")
        self._command("init", "--ward", "26995")
        self.log = open(folder / "log", "w+b")
        self.process = subprocess.Popen(
            [os.environ["GANDAN_SERVER"], "serve", "--data", self.data]
            + ["--quic", "127.0.0.1:0", "--http", "127.0.0.1:0"],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        ready = self.process.stdout.readline()
        found = re.search(r"quic=(\S+):(\d+)", ready)
        assert found, ready
        self.address = (found.group(1), int(found.group(2)))
        self.phone = Phone(folder / "phone", self.invite("honest"))

    def invite(self, officer: str) -> str:
        return self._command("invite", "--officer", officer, "--role", "leader").strip()

    def peak_mib(self) -> float:
        """The most that the server has held since its start, or since it was last forgotten."""
        return self._status("VmHWM")

    def forget_peak(self) -> float:
        """Begins to measure anew; gives what the server holds now."""
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self._status("VmRSS")

    def _status(self, key: str) -> float:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{key}:\s+(\d+) kB", status).group(1)) / 1024

    def close(self) -> None:
        self.process.terminate()
        code = self.process.wait(timeout=30)
        self.log.seek(0)
        log = self.log.read()
        assert code == 0 and b"panicked" not in log, log.decode()

    def _command(self, *arguments: str) -> str:
        done = subprocess.run(
            [os.environ["GANDAN_SERVER"], *arguments, "--data", self.data],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


class Phone:
    def __init__(self, store: pathlib.Path, invite: str):
        self.store = str(store)
        self.recorded = 0
        self._run("enrol", "--invite", invite)

    def works(self) -> float:
        """Records a case and brings it to the ward; gives the seconds that bringing took."""
        self.recorded += 1
        case = {
            "id": f"c{self.recorded:06}",
            "visit": f"v{self.recorded:06}",
            "area": "Hẻm 12 Lê Lợi",
            "kind": "report",
            "category": "lighting",
            "urgency": "high",
            "status": "new",
            "recorded_at": "2026-03-02T01:00:12.345Z",
            "text": "Đèn đường bị hỏng",
            "citizen": {"name": "Nguyễn Thị Bình", "phone": "0912345678", "address": "12/3 Lê Lợi"},
            "attachments": {},
            "notes": [],
        }
        self._run("record", given=json.dumps(case) + "\n")
        began = time.monotonic()
        report = json.loads(self._run("sync", "--json"))
        assert report["pending"] == 0 and report["rejected"] == 0, report
        return time.monotonic() - began

    def _run(self, *arguments: str, given: str = "") -> str:
        done = subprocess.run(
            [os.environ["GANDAN_PHONE"], *arguments, "--store", self.store],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "GANDAN_STORE_KEY": STORE_KEY},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


class Working:
    """A phone that works again and again beside whatever else happens."""

    def __init__(self, phone: Phone):
        self.phone = phone
        self.seconds: list[float] = []
        self.failed: BaseException | None = None
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Working":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._is_over.set()
        self._thread.join()
        assert self.failed is None, self.failed
        assert self.seconds

    def _work(self) -> None:
        try:
            while not self.seconds or not self._is_over.is_set():
                self.seconds.append(self.phone.works())
        except BaseException as error:
            self.failed = error
