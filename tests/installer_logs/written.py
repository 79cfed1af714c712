"""Logs in our own words, in the forms that the engines write: for the tests and the bench."""

from __future__ import annotations

from collections.abc import Iterator

PRODUCT = "Demo"


class WindowsLog:
    """Writes a verbose log as Windows Installer does; each call adds lines, the clock goes on by itself."""

    def __init__(self, *, start: float = 36_000.0) -> None:
        self.lines: list[str] = []
        self.clock = start

    def __str__(self) -> str:
        return "\r\n".join(self.lines) + "\r\n"

    @property
    def _whole(self) -> str:
        seconds = int(self.clock) % 86_400
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"

    def engine(self, text: str, *, client: bool = False) -> WindowsLog:
        """Add a line of the engine."""
        seconds = self.clock % 86_400
        stamp = f"{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}"
        stamp += f":{int(seconds * 1000) % 1000:03}"
        self.lines.append(f"MSI ({'c' if client else 's'}) (0C:B8) [{stamp}]: {text}")
        return self

    def plain(self, text: str) -> WindowsLog:
        """Add a line as it is."""
        self.lines.append(text)
        return self

    def opened(self) -> WindowsLog:
        """Add the first line."""
        return self.plain(
            f"=== Verbose logging started: 22.11.2026  {self._whole}  Build type: SHIP UNICODE 5.00.10011.00  "
            r"Calling process: C:\Windows\system32\msiexec.exe ==="
        )

    def closed(self, code: int) -> WindowsLog:
        """Add the end, with the exit code."""
        self.engine(f"MainEngineThread is returning {code}")
        return self.plain(f"=== Verbose logging stopped: 22.11.2026  {self._whole} ===")

    def start(self, action: str) -> WindowsLog:
        """Begin an action."""
        return self.engine(f"Doing action: {action}").plain(f"Action start {self._whole}: {action}.")

    def end(self, action: str, value: int = 1) -> WindowsLog:
        """End an action with a value."""
        return self.plain(f"Action ended {self._whole}: {action}. Return value {value}.")

    def passes(self, seconds: float) -> WindowsLog:
        """Let time go by."""
        self.clock += seconds
        return self

    def properties(self, **values: str) -> WindowsLog:
        """List properties, as at the end of a log."""
        for name, value in values.items():
            self.plain(f"Property(S): {name} = {value}")
        return self


def failed(*, code: int = 1603) -> WindowsLog:
    """Write a log whose custom action fails in the script, after which all is rolled back."""
    log = WindowsLog().opened().start("INSTALL").start("CostFinalize").passes(0.25).end("CostFinalize")
    log.start("InstallFinalize").engine("Executing op: ActionStart(Name=InstallFiles,Description=Copying,)")
    log.engine(r"Executing op: SetTargetFolder(Folder=C:\Program Files\Demo\)").passes(1.5)
    log.engine("Executing op: ActionStart(Name=TuneDriver,,)").passes(2.5)
    log.engine("Executing op: CustomActionSchedule(Action=TuneDriver,ActionType=3073,Source=BinaryData,Target=Tune,)")
    log.plain("CustomAction TuneDriver returned actual error code 1603 (note this may not be 100% accurate)")
    log.end("InstallFinalize", 3)
    log.engine("User policy value 'DisableRollback' is 0").engine(
        "Executing op: RollbackInfo(,RollbackAction=Rollback,)"
    )
    log.plain("Rollback: Copying")
    log.end("INSTALL", 3).engine("Note: 1: 1708 ").engine("Product: Demo -- Installation failed.")
    return log.properties(ProductName=PRODUCT, ProductVersion="1.2.3", ADMINPASSWORD="sesame").closed(code)


def large(size: int) -> Iterator[bytes]:
    """Write a UTF-16 log of about ``size`` bytes, a piece at a time, that fails at its end."""
    head = WindowsLog().opened().start("INSTALL").start("InstallFinalize")
    yield b"\xff\xfe" + str(head).encode("utf-16-le")
    written = 0
    clock = 0
    while written < size:
        body = WindowsLog(start=36_000.0 + clock)
        for number in range(2_000):
            body.engine(
                f"Executing op: FileCopy(SourceName=FILE~{number}|file-{number}.dll,SourceCabKey=F{number},"
                f"DestName=file-{number}.dll,Attributes=512,FileSize={number * 17},PerTick=65536,,VerifyMedia=1,,,,,)"
            )
            if number % 10 == 0:
                body.engine("Note: 1: 2318 2: C:\\Program Files\\Demo\\file.dll ").plain(
                    f"File: file-{number}.dll,  Directory: INSTALLDIR,  Size: {number * 17}"
                )
        piece = str(body).encode("utf-16-le")
        written += len(piece)
        clock += 1
        yield piece
    tail = WindowsLog(start=36_000.0 + clock)
    tail.plain(r"Error 1304. Error writing to file: C:\Program Files\Demo\last.dll. System error 112.")
    tail.end("InstallFinalize", 3).end("INSTALL", 3).closed(1603)
    yield str(tail).encode("utf-16-le")
